package bed;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.List;
import java.util.Map;
import javax.security.auth.callback.Callback;
import javax.security.auth.callback.NameCallback;
import javax.security.auth.callback.UnsupportedCallbackException;
import javax.security.auth.login.AppConfigurationEntry;
import org.apache.kafka.common.security.auth.AuthenticateCallbackHandler;
import org.apache.kafka.common.security.plain.PlainAuthenticateCallback;

/**
 * SASL/PLAIN users from a JSON file (name to password), read at each login: a user that was written there may log in at once, and
 * one that was taken out may not. The file is named by the system property bed.users and is replaced as a whole, never edited.
 */
public final class PlainUsers implements AuthenticateCallbackHandler {
    private static final ObjectMapper JSON = new ObjectMapper();

    @Override
    public void handle(Callback[] callbacks) throws IOException, UnsupportedCallbackException {
        String name = null;
        for (Callback callback : callbacks) {
            if (callback instanceof NameCallback asked) {
                name = asked.getDefaultName();
            } else if (callback instanceof PlainAuthenticateCallback asked) {
                asked.authenticated(matches(name, asked.password()));
            } else {
                throw new UnsupportedCallbackException(callback);
            }
        }
    }

    private static boolean matches(String name, char[] password) throws IOException {
        Map<?, ?> users = JSON.readValue(new File(System.getProperty("bed.users")), Map.class);
        return users.get(name) instanceof String expected
                && MessageDigest.isEqual(
                        expected.getBytes(StandardCharsets.UTF_8),
                        new String(password).getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public void configure(Map<String, ?> configs, String mechanism, List<AppConfigurationEntry> entries) {}

    @Override
    public void close() {}
}
