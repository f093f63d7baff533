package bed;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.Provider;
import java.security.Security;
import java.util.Map;
import java.util.TreeMap;
import javax.security.auth.Subject;
import javax.security.auth.callback.CallbackHandler;
import javax.security.auth.spi.LoginModule;
import javax.security.sasl.SaslException;
import javax.security.sasl.SaslServer;
import javax.security.sasl.SaslServerFactory;
import org.apache.kafka.common.errors.SaslAuthenticationException;

/**
 * The mechanism AWS_MSK_IAM on a broker, as far as the documentation of Amazon's client library describes it: one message from the client,
 * a presigned kafka-cluster:Connect of the broker's own name as JSON, checked as {@link SignedTokens} does; one answer with a request id.
 * A refusal is "Access denied", whatever the reason, as with MSK.
 */
public final class MskIam implements LoginModule {
    private static final String NAME = "AWS_MSK_IAM";
    private static final ObjectMapper JSON = new ObjectMapper();

    static {
        Security.addProvider(new Mechanisms());
    }

    private static final class Mechanisms extends Provider {
        private static final long serialVersionUID = 1L;

        Mechanisms() {
            super("bed MSK IAM", "1", "AWS_MSK_IAM for the test bed");
            put("SaslServerFactory." + NAME, Factory.class.getName());
        }
    }

    /** Made by the provider above. */
    public static final class Factory implements SaslServerFactory {
        @Override
        public SaslServer createSaslServer(String mechanism, String protocol, String server, Map<String, ?> options, CallbackHandler handler) {
            return NAME.equals(mechanism) ? new Server() : null;
        }

        @Override
        public String[] getMechanismNames(Map<String, ?> options) {
            return new String[] {NAME};
        }
    }

    private static final class Server implements SaslServer {
        private String principal;

        @Override
        public String getMechanismName() {
            return NAME;
        }

        @Override
        public byte[] evaluateResponse(byte[] response) throws SaslException {
            try {
                Map<String, String> payload = JSON.readValue(response, new TypeReference<Map<String, String>>() {});
                if (!"2020_10_22".equals(payload.get("version")) || payload.get("user-agent") == null) {
                    throw new SignedTokens.Refused("unknown version");
                }
                Map<String, String> query = new TreeMap<>();
                for (String name : new String[] {
                    "Action", "X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-Security-Token",
                    "X-Amz-Signature", "X-Amz-SignedHeaders"
                }) {
                    String value = payload.get(name.toLowerCase(java.util.Locale.ROOT));
                    if (value != null) {
                        query.put(name, value);
                    }
                }
                principal = SignedTokens.verify(query, payload.getOrDefault("host", ""));
                return "{\"version\":\"2020_10_22\",\"request-id\":\"bed\"}".getBytes(java.nio.charset.StandardCharsets.UTF_8);
            } catch (SignedTokens.Refused | GeneralSecurityException | IOException | IllegalArgumentException refused) {
                throw new SaslAuthenticationException("[bed]: Access denied");
            }
        }

        @Override
        public boolean isComplete() {
            return principal != null;
        }

        @Override
        public String getAuthorizationID() {
            return principal;
        }

        @Override
        public byte[] unwrap(byte[] incoming, int offset, int length) {
            return java.util.Arrays.copyOfRange(incoming, offset, offset + length);
        }

        @Override
        public byte[] wrap(byte[] outgoing, int offset, int length) {
            return java.util.Arrays.copyOfRange(outgoing, offset, offset + length);
        }

        @Override
        public Object getNegotiatedProperty(String name) {
            return null;
        }

        @Override
        public void dispose() {}
    }

    @Override
    public void initialize(Subject subject, CallbackHandler handler, Map<String, ?> state, Map<String, ?> options) {}

    @Override
    public boolean login() {
        return true;
    }

    @Override
    public boolean commit() {
        return true;
    }

    @Override
    public boolean abort() {
        return false;
    }

    @Override
    public boolean logout() {
        return true;
    }
}
