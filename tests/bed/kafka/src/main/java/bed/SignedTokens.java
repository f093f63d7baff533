package bed;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import javax.security.auth.callback.Callback;
import javax.security.auth.callback.UnsupportedCallbackException;
import javax.security.auth.login.AppConfigurationEntry;
import org.apache.kafka.common.security.auth.AuthenticateCallbackHandler;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerExtensionsValidatorCallback;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerToken;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallback;

/**
 * Checks the tokens of Amazon MSK's IAM login over OAUTHBEARER: a presigned URL for kafka-cluster:Connect, in base64 for URLs. The
 * signature (AWS Signature Version 4) and the time are checked against the keys in the file that bed.keys names: access key to
 * {secret, session?, principal}. What the principal may do is then a matter of ACLs; IAM's policies are not evaluated.
 */
public final class SignedTokens implements AuthenticateCallbackHandler {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC);
    /** The signature can't sign itself, and clients add their name after it is made. */
    private static final Set<String> UNSIGNED = Set.of("X-Amz-Signature", "User-Agent");

    private record Token(String value, String principalName, Long startTimeMs, long lifetimeMs) implements OAuthBearerToken {
        @Override
        public Set<String> scope() {
            return Set.of();
        }
    }

    static final class Refused extends Exception {
        private static final long serialVersionUID = 1L;

        Refused(String reason) {
            super(reason);
        }
    }

    @Override
    public void handle(Callback[] callbacks) throws IOException, UnsupportedCallbackException {
        for (Callback callback : callbacks) {
            if (callback instanceof OAuthBearerValidatorCallback asked) {
                try {
                    asked.token(check(asked.tokenValue()));
                } catch (Refused refused) {
                    asked.error("Access denied: " + refused.getMessage(), null, null);
                } catch (GeneralSecurityException | IllegalArgumentException broken) {
                    asked.error("Access denied: not a presigned URL in base64", null, null);
                }
            } else if (callback instanceof OAuthBearerExtensionsValidatorCallback asked) {
                asked.inputExtensions().map().keySet().forEach(asked::valid);
            } else {
                throw new UnsupportedCallbackException(callback);
            }
        }
    }

    private static Token check(String value) throws IOException, GeneralSecurityException, Refused {
        URI url = URI.create(new String(Base64.getUrlDecoder().decode(value), StandardCharsets.UTF_8));
        Map<String, String> query = new TreeMap<>();
        for (String pair : url.getRawQuery().split("&")) {
            int equals = pair.indexOf('=');
            query.put(decoded(pair.substring(0, equals)), decoded(pair.substring(equals + 1)));
        }
        String[] scope = query.getOrDefault("X-Amz-Credential", "").split("/");
        require(url.getHost().equals("kafka." + (scope.length > 2 ? scope[2] : "") + ".amazonaws.com"), "the host is not that of the region");
        String principal = verify(query, url.getHost());
        Instant begin = Instant.from(TIME.parse(query.get("X-Amz-Date")));
        Instant end = begin.plusSeconds(Long.parseLong(query.get("X-Amz-Expires")));
        return new Token(value, principal, begin.toEpochMilli(), end.toEpochMilli());
    }

    /** The principal of the key that presigned a GET of / on this host; with what is wrong otherwise. */
    static String verify(Map<String, String> query, String host) throws IOException, GeneralSecurityException, Refused {
        String[] scope = query.getOrDefault("X-Amz-Credential", "").split("/");
        require(query.getOrDefault("Action", "").equals("kafka-cluster:Connect"), "the action is not kafka-cluster:Connect");
        require(query.getOrDefault("X-Amz-Algorithm", "").equals("AWS4-HMAC-SHA256"), "unknown algorithm");
        require(query.getOrDefault("X-Amz-SignedHeaders", "").equals("host"), "the host is not what is signed");
        require(scope.length == 5 && scope[3].equals("kafka-cluster") && scope[4].equals("aws4_request"), "wrong credential scope");

        JsonNode key = JSON.readTree(new File(System.getProperty("bed.keys"))).path(scope[0]);
        require(!key.isMissingNode(), "unknown access key");
        require(key.path("session").asText("").equals(query.getOrDefault("X-Amz-Security-Token", "")), "wrong session token");
        String expected = signature(host, query, scope, key.get("secret").asText());
        require(MessageDigest.isEqual(expected.getBytes(StandardCharsets.UTF_8),
                query.getOrDefault("X-Amz-Signature", "").getBytes(StandardCharsets.UTF_8)), "the signature does not match");

        Instant begin = Instant.from(TIME.parse(query.get("X-Amz-Date")));
        Instant end = begin.plusSeconds(Long.parseLong(query.get("X-Amz-Expires")));
        require(Instant.now().isBefore(end), "the token has expired");
        return key.get("principal").asText();
    }

    private static String signature(String host, Map<String, String> query, String[] scope, String secret)
            throws GeneralSecurityException {
        String signed = query.entrySet().stream()
                .filter(parameter -> !UNSIGNED.contains(parameter.getKey()))
                .map(parameter -> encoded(parameter.getKey()) + "=" + encoded(parameter.getValue()))
                .sorted().collect(Collectors.joining("&"));
        String request = String.join("\n", "GET", "/", signed, "host:" + host, "", "host", digest(""));
        String credentialScope = String.join("/", List.of(scope).subList(1, scope.length));
        String text = String.join("\n", "AWS4-HMAC-SHA256", query.get("X-Amz-Date"), credentialScope, digest(request));
        byte[] key = ("AWS4" + secret).getBytes(StandardCharsets.UTF_8);
        for (String part : List.of(scope).subList(1, scope.length)) {
            key = mac(key, part);
        }
        return HexFormat.of().formatHex(mac(key, text));
    }

    private static byte[] mac(byte[] key, String text) throws GeneralSecurityException {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(key, "HmacSHA256"));
        return mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
    }

    private static String digest(String text) throws GeneralSecurityException {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
    }

    private static String decoded(String text) {
        // In a presigned URL a plus is a plus.
        return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20").replace("*", "%2A").replace("%7E", "~");
    }

    private static void require(boolean condition, String otherwise) throws Refused {
        if (!condition) {
            throw new Refused(otherwise);
        }
    }

    @Override
    public void configure(Map<String, ?> configs, String mechanism, List<AppConfigurationEntry> entries) {}

    @Override
    public void close() {}
}
