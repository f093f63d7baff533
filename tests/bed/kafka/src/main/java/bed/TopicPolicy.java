package bed;

import java.util.Map;
import org.apache.kafka.common.errors.PolicyViolationException;
import org.apache.kafka.server.policy.CreateTopicPolicy;

/**
 * Refuses a topic whose replication factor is not 3, as Confluent Cloud does. A request for the default (-1) has been resolved to
 * default.replication.factor before it comes here.
 */
public final class TopicPolicy implements CreateTopicPolicy {
    private static final int REQUIRED = 3;

    @Override
    public void validate(RequestMetadata topic) {
        if (topic.replicasAssignments() == null) {
            check(topic.topic(), topic.replicationFactor());
        } else {
            topic.replicasAssignments().values().forEach(replicas -> check(topic.topic(), replicas.size()));
        }
    }

    private static void check(String topic, int factor) {
        if (factor != REQUIRED) {
            throw new PolicyViolationException(
                    "Topic '" + topic + "' has replication factor " + factor + "; it must be " + REQUIRED);
        }
    }

    @Override
    public void configure(Map<String, ?> configs) {}

    @Override
    public void close() {}
}
