package bed;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.GroupListing;
import org.apache.kafka.clients.admin.ListTopicsOptions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.admin.TransactionListing;
import org.apache.kafka.common.GroupType;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.SecurityDisabledException;

/**
 * The cluster's state as JSON, in one fixed order, so that two of them can be compared as text: what must be the same before and
 * after a run that may change nothing. `prefix` limits topics, groups, transactions and ACLs to names that begin with it.
 */
final class State {
    private final Admin admin;
    private final String prefix;
    private final ObjectNode out = bed.Admin.JSON.createObjectNode();

    private State(Admin admin, String prefix) {
        this.admin = admin;
        this.prefix = prefix;
    }

    static ObjectNode of(Admin admin, String prefix) throws Exception {
        State state = new State(admin, prefix);
        state.topics();
        state.groups();
        state.transactions();
        state.acls();
        return state.out;
    }

    /** Every topic with id, partitions, replicas, configs that differ from the default, end offsets and active producers. */
    private void topics() throws Exception {
        ObjectNode topics = out.putObject("topics");
        TreeSet<String> names = admin.listTopics(new ListTopicsOptions().listInternal(true)).names().get().stream()
                .filter(name -> name.startsWith(prefix)).collect(Collectors.toCollection(TreeSet::new));
        if (names.isEmpty()) {
            return;
        }
        Map<String, TopicDescription> described = admin.describeTopics(names).allTopicNames().get();
        List<TopicPartition> partitions = described.values().stream()
                .flatMap(t -> t.partitions().stream().map(p -> new TopicPartition(t.name(), p.partition()))).toList();
        var ends = admin.listOffsets(partitions.stream().collect(Collectors.toMap(p -> p, p -> OffsetSpec.latest()))).all().get();
        var producers = admin.describeProducers(partitions).all().get();
        var configs = admin.describeConfigs(
                names.stream().map(name -> new ConfigResource(ConfigResource.Type.TOPIC, name)).toList()).all().get();
        for (String name : names) {
            TopicDescription topic = described.get(name);
            ObjectNode node = topics.putObject(name);
            node.put("id", topic.topicId().toString());
            node.put("replicas", topic.partitions().get(0).replicas().size());
            ObjectNode set = node.putObject("configs");
            configs.get(new ConfigResource(ConfigResource.Type.TOPIC, name)).entries().stream()
                    .filter(entry -> entry.source() == ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG)
                    .sorted(Comparator.comparing(ConfigEntry::name))
                    .forEach(entry -> set.put(entry.name(), entry.value()));
            ArrayNode offsets = node.putArray("end_offsets");
            ArrayNode active = node.putArray("producers");
            for (int p = 0; p < topic.partitions().size(); p++) {
                TopicPartition partition = new TopicPartition(name, p);
                offsets.add(ends.get(partition).offset());
                producers.get(partition).activeProducers().stream()
                        .sorted(Comparator.comparing(producer -> producer.producerId()))
                        .forEach(producer -> active.addObject()
                                .put("partition", partition.partition())
                                .put("producer_id", producer.producerId())
                                .put("epoch", producer.producerEpoch())
                                .put("last_sequence", producer.lastSequence()));
            }
        }
    }

    private void groups() throws Exception {
        ObjectNode groups = out.putObject("groups");
        List<GroupListing> listed = admin.listGroups().all().get().stream()
                .filter(group -> group.groupId().startsWith(prefix))
                .sorted(Comparator.comparing(GroupListing::groupId)).toList();
        for (GroupListing group : listed) {
            ObjectNode node = groups.putObject(group.groupId());
            node.put("protocol", group.protocol());
            Map<String, String> members = new HashMap<>();
            if (group.type().orElse(GroupType.UNKNOWN) == GroupType.CONSUMER) {
                var described = admin.describeConsumerGroups(List.of(group.groupId())).all().get().get(group.groupId());
                node.put("state", described.groupState().toString());
                described.members().forEach(m -> members.put(m.consumerId(), m.clientId()));
            } else if (group.type().orElse(GroupType.UNKNOWN) == GroupType.CLASSIC) {
                var described = admin.describeClassicGroups(List.of(group.groupId())).all().get().get(group.groupId());
                node.put("state", described.state().toString());
                described.members().forEach(m -> members.put(m.consumerId(), m.clientId()));
            }
            ArrayNode list = node.putArray("members");
            members.keySet().stream().sorted().forEach(id -> list.addObject().put("id", id).put("client", members.get(id)));
            ObjectNode offsets = node.putObject("offsets");
            admin.listConsumerGroupOffsets(group.groupId()).partitionsToOffsetAndMetadata().get().entrySet().stream()
                    .filter(entry -> entry.getValue() != null)
                    .sorted(Comparator.comparing(entry -> entry.getKey().toString()))
                    .forEach(entry -> offsets.put(entry.getKey().toString(), entry.getValue().offset()));
        }
    }

    /** Producer id and epoch of each transactional id: a fenced worker shows as a higher epoch. */
    private void transactions() throws Exception {
        ObjectNode transactions = out.putObject("transactions");
        List<String> ids = admin.listTransactions().all().get().stream().map(TransactionListing::transactionalId)
                .filter(id -> id.startsWith(prefix)).sorted().toList();
        if (ids.isEmpty()) {
            return;
        }
        var described = admin.describeTransactions(ids).all().get();
        for (String id : ids) {
            transactions.putObject(id)
                    .put("state", described.get(id).state().toString())
                    .put("producer_id", described.get(id).producerId())
                    .put("epoch", described.get(id).producerEpoch());
        }
    }

    private void acls() throws Exception {
        ArrayNode acls = out.putArray("acls");
        Collection<AclBinding> listed;
        try {
            listed = admin.describeAcls(AclBindingFilter.ANY).values().get();
        } catch (ExecutionException error) {
            if (error.getCause() instanceof SecurityDisabledException) {
                return;
            }
            throw error;
        }
        listed.stream()
                .filter(acl -> acl.pattern().name().startsWith(prefix))
                .sorted(Comparator.comparing(Object::toString))
                .forEach(acl -> acls.addObject()
                        .put("principal", acl.entry().principal())
                        .put("host", acl.entry().host())
                        .put("operation", acl.entry().operation().toString())
                        .put("permission", acl.entry().permissionType().toString())
                        .put("resource", acl.pattern().resourceType().toString())
                        .put("name", acl.pattern().name())
                        .put("pattern", acl.pattern().patternType().toString()));
    }
}
