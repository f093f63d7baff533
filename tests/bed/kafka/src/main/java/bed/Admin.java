package bed;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.common.config.SaslConfigs;

/**
 * The cluster's administrator, resident so that a change costs milliseconds and not the start of a JVM.
 *
 * In: the path of a JSON file {brokers: {id: address}, username, password}; on stdin one JSON object a line, {id, op, …}.
 * Out: on stdout one line for each, {id, result} or {id, error}, in the order in which they are done. Ends with stdin.
 * Rule: a change is answered when every broker that runs, asked by itself, answers as the change demands.
 */
public final class Admin {
    static final ObjectMapper JSON = new ObjectMapper();

    private Admin() {}

    public static void main(String[] arguments) throws Exception {
        JsonNode config = JSON.readTree(new File(arguments[0]));
        Map<Integer, String> brokers = new HashMap<>();
        config.get("brokers").properties().forEach(b -> brokers.put(Integer.valueOf(b.getKey()), b.getValue().asText()));
        Map<String, Object> login = login("PLAIN", config.get("username").asText(), config.get("password").asText());
        login.put(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, String.join(",", brokers.values()));

        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        ExecutorService workers = Executors.newCachedThreadPool();
        try (Cluster cluster = new Cluster(brokers, login);
                BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                JsonNode request = JSON.readTree(line);
                workers.execute(() -> answer(cluster, request, out));
            }
            workers.shutdownNow();
        }
    }

    private static void answer(Cluster cluster, JsonNode request, PrintStream out) {
        ObjectNode answer = JSON.createObjectNode();
        answer.set("id", request.get("id"));
        try {
            answer.set("result", cluster.run(request.get("op").asText(), request));
        } catch (ExecutionException error) {
            answer.put("error", text(error.getCause()));
        } catch (Exception error) {
            answer.put("error", text(error));
        }
        String line = answer.toString();
        synchronized (out) {
            out.println(line);
        }
    }

    private static String text(Throwable error) {
        return error.getClass().getSimpleName() + ": " + error.getMessage();
    }

    /** Client settings for one login over SASL_PLAINTEXT. */
    static Map<String, Object> login(String mechanism, String name, String password) {
        String module = mechanism.equals("PLAIN")
                ? "org.apache.kafka.common.security.plain.PlainLoginModule"
                : "org.apache.kafka.common.security.scram.ScramLoginModule";
        Map<String, Object> config = new HashMap<>();
        config.put(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, "127.0.0.1:1");
        config.put(CommonClientConfigs.SECURITY_PROTOCOL_CONFIG, "SASL_PLAINTEXT");
        config.put(SaslConfigs.SASL_MECHANISM, mechanism);
        config.put(SaslConfigs.SASL_JAAS_CONFIG,
                module + " required username=" + quoted(name) + " password=" + quoted(password) + ";");
        config.put(CommonClientConfigs.RECONNECT_BACKOFF_MS_CONFIG, 20L);
        config.put(CommonClientConfigs.RECONNECT_BACKOFF_MAX_MS_CONFIG, 200L);
        config.put(CommonClientConfigs.RETRY_BACKOFF_MS_CONFIG, 20L);
        config.put(CommonClientConfigs.METADATA_MAX_AGE_CONFIG, 2_000L);
        config.put(CommonClientConfigs.REQUEST_TIMEOUT_MS_CONFIG, 10_000);
        config.put("default.api.timeout.ms", 30_000);
        return config;
    }

    private static String quoted(String value) {
        // A line break would end the quoted text.
        String escaped = value.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n").replace("\r", "\\r");
        return '"' + escaped + '"';
    }
}
