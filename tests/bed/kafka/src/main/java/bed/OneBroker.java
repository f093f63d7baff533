package bed;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.ApiVersions;
import org.apache.kafka.clients.ClientRequest;
import org.apache.kafka.clients.ClientResponse;
import org.apache.kafka.clients.ClientUtils;
import org.apache.kafka.clients.DefaultHostResolver;
import org.apache.kafka.clients.ManualMetadataUpdater;
import org.apache.kafka.clients.NetworkClient;
import org.apache.kafka.clients.NetworkClientUtils;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.metrics.Metrics;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.utils.LogContext;
import org.apache.kafka.common.utils.Time;

/**
 * A connection to one broker and no other. An AdminClient sends to the least loaded broker, so what it hears says nothing about the
 * rest; a change is done when each broker, asked by itself, answers alike. Not for use by two threads at once.
 */
final class OneBroker implements AutoCloseable {
    private static final int TIMEOUT_MS = 5_000;

    private final Node node;
    private final Metrics metrics = new Metrics();
    private final NetworkClient client;

    OneBroker(int id, String address, Map<String, Object> config) {
        int colon = address.lastIndexOf(':');
        node = new Node(id, address.substring(0, colon), Integer.parseInt(address.substring(colon + 1)));
        AdminClientConfig admin = new AdminClientConfig(config);
        client = ClientUtils.createNetworkClient(
                admin, "bed-" + id, metrics, "bed", new LogContext(), new ApiVersions(), Time.SYSTEM, 1, TIMEOUT_MS, null,
                new ManualMetadataUpdater(List.of(node)), new DefaultHostResolver(), null, null);
    }

    /** Connects and logs in. False: the broker refused the login. */
    boolean logsIn() throws IOException {
        try {
            connect();
            return true;
        } catch (AuthenticationException refused) {
            return false;
        }
    }

    private void connect() throws IOException {
        if (!NetworkClientUtils.awaitReady(client, node, Time.SYSTEM, TIMEOUT_MS)) {
            throw new IOException("broker " + node + " did not answer within " + TIMEOUT_MS + " ms");
        }
    }

    <T extends AbstractResponse> T ask(AbstractRequest.Builder<?> request, Class<T> type) throws IOException {
        connect();
        ClientRequest message = client.newClientRequest(node.idString(), request, Time.SYSTEM.milliseconds(), true);
        ClientResponse answer = NetworkClientUtils.sendAndReceive(client, message, Time.SYSTEM);
        return type.cast(answer.responseBody());
    }

    int id() {
        return node.id();
    }

    @Override
    public void close() {
        client.close();
        metrics.close();
    }
}
