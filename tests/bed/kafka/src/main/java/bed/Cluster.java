package bed;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.ScramCredentialInfo;
import org.apache.kafka.clients.admin.ScramMechanism;
import org.apache.kafka.clients.admin.UserScramCredentialAlteration;
import org.apache.kafka.clients.admin.UserScramCredentialDeletion;
import org.apache.kafka.clients.admin.UserScramCredentialUpsertion;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AccessControlEntryFilter;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.errors.SecurityDisabledException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.quota.ClientQuotaAlteration;
import org.apache.kafka.common.quota.ClientQuotaEntity;
import org.apache.kafka.common.requests.DescribeAclsRequest;
import org.apache.kafka.common.requests.DescribeAclsResponse;
import org.apache.kafka.common.requests.MetadataRequest;
import org.apache.kafka.common.requests.MetadataResponse;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourcePatternFilter;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.common.serialization.StringSerializer;

/** The operations on the cluster. Each that changes something waits until every running broker shows the change. */
final class Cluster implements AutoCloseable {
    private static final long DEADLINE_MS = 30_000;
    private static final int SCRAM_ITERATIONS = 4096;

    /** A question to one broker; true when the answer is the hoped-for one. */
    private interface Question {
        boolean ask(OneBroker broker) throws IOException;
    }

    private final Map<Integer, String> addresses;
    private final Map<String, Object> login;
    private final org.apache.kafka.clients.admin.Admin admin;
    private final Map<Integer, OneBroker> brokers = new TreeMap<>();
    private final Set<Integer> down = new HashSet<>();
    /** Producers with an open transaction, by their transactional id. */
    private final Map<String, KafkaProducer<String, String>> transactions = new ConcurrentHashMap<>();

    Cluster(Map<Integer, String> addresses, Map<String, Object> login) {
        this.addresses = addresses;
        this.login = login;
        this.admin = org.apache.kafka.clients.admin.Admin.create(login);
        addresses.forEach((id, address) -> brokers.put(id, new OneBroker(id, address, login)));
    }

    JsonNode run(String op, JsonNode request) throws Exception {
        return switch (op) {
            case "ready" -> ready(request);
            case "down" -> down(request);
            case "acls" -> acls(request);
            case "scram" -> scram(request);
            case "topics" -> topics(request);
            case "produce" -> produce(request);
            case "commit" -> commit(request);
            case "coordinators" -> coordinators();
            case "begin" -> begin(request);
            case "end" -> end(request);
            case "quota" -> quota(request);
            case "state" -> State.of(admin, request.path("prefix").asText(""));
            default -> throw new IllegalArgumentException("no operation " + op);
        };
    }

    /** All brokers run, know each other, have every replica in sync and the same ACLs. */
    private JsonNode ready(JsonNode request) throws Exception {
        synchronized (down) {
            down.clear();
        }
        Set<Integer> all = addresses.keySet();
        onEachBroker("to know all brokers", request.path("seconds").asLong(60) * 1000, broker -> {
            MetadataResponse answer = broker.ask(MetadataRequest.Builder.allTopics(), MetadataResponse.class);
            return answer.brokersById().keySet().equals(all)
                    && answer.topicMetadata().stream().flatMap(t -> t.partitionMetadata().stream())
                            .allMatch(p -> p.leaderId.isPresent() && p.inSyncReplicaIds.size() == p.replicaIds.size());
        });
        if (authorizes()) {
            Set<AclBinding> wanted = new HashSet<>(admin.describeAcls(AclBindingFilter.ANY).values().get());
            onEachBroker("to have the same ACLs", DEADLINE_MS, broker -> bindings(broker, AclBindingFilter.ANY).equals(wanted));
        }
        return Admin.JSON.createObjectNode().put("cluster_id", admin.describeCluster().clusterId().get());
    }

    /** Whether the cluster has an authorizer at all. */
    private boolean authorizes() throws Exception {
        try {
            admin.describeAcls(AclBindingFilter.ANY).values().get();
            return true;
        } catch (ExecutionException error) {
            if (error.getCause() instanceof SecurityDisabledException) {
                return false;
            }
            throw error;
        }
    }

    /** Brokers that were stopped are not asked until `ready`. */
    private JsonNode down(JsonNode request) throws Exception {
        int id = request.get("broker").asInt();
        synchronized (down) {
            down.add(id);
        }
        onEachBroker("to miss broker " + id, DEADLINE_MS, broker ->
                !broker.ask(MetadataRequest.Builder.allTopics(), MetadataResponse.class).brokersById().containsKey(id));
        return Admin.JSON.createObjectNode();
    }

    private JsonNode acls(JsonNode request) throws Exception {
        List<AclBindingFilter> filters = list(request.path("remove")).stream().flatMap(acl -> filters(acl).stream()).toList();
        Collection<AclBinding> removed = filters.isEmpty() ? List.of() : admin.deleteAcls(filters).all().get();
        List<AclBinding> added = list(request.path("add")).stream().flatMap(acl -> filters(acl).stream()).map(Cluster::binding).toList();
        if (!added.isEmpty()) {
            admin.createAcls(added).all().get();
        }
        // A broker may show one ACL before the next one: each is asked for by itself, and only those of this call.
        onEachBroker("to show the ACLs", DEADLINE_MS, broker -> {
            for (AclBinding acl : added) {
                if (bindings(broker, acl.toFilter()).isEmpty()) {
                    return false;
                }
            }
            for (AclBinding acl : removed) {
                if (!added.contains(acl) && !bindings(broker, acl.toFilter()).isEmpty()) {
                    return false;
                }
            }
            return true;
        });
        return Admin.JSON.createObjectNode().put("added", added.size()).put("removed", removed.size());
    }

    /** SCRAM users. Seen on a broker means that a login there succeeds (or, with `remove`, that this password fails from now on). */
    private JsonNode scram(JsonNode request) throws Exception {
        String user = request.get("name").asText();
        String password = request.get("password").asText();
        boolean remove = request.path("remove").asBoolean(false);
        List<ScramMechanism> mechanisms = list(request.path("mechanisms")).stream()
                .map(m -> ScramMechanism.fromMechanismName(m.asText())).toList();
        // One request a mechanism: the controller refuses two for one user.
        for (ScramMechanism mechanism : mechanisms) {
            UserScramCredentialAlteration change = remove
                    ? new UserScramCredentialDeletion(user, mechanism)
                    : new UserScramCredentialUpsertion(
                            user, new ScramCredentialInfo(mechanism, SCRAM_ITERATIONS), password.getBytes(StandardCharsets.UTF_8));
            admin.alterUserScramCredentials(List.of(change)).all().get();
        }
        for (ScramMechanism mechanism : mechanisms) {
            Map<String, Object> config = Admin.login(mechanism.mechanismName(), user, password);
            until("to " + (remove ? "refuse " : "accept ") + user + " over " + mechanism.mechanismName(), DEADLINE_MS, id -> {
                try (OneBroker broker = new OneBroker(id, addresses.get(id), config)) {
                    return broker.logsIn() != remove;
                }
            });
        }
        return Admin.JSON.createObjectNode();
    }

    private JsonNode topics(JsonNode request) throws Exception {
        List<NewTopic> created = new ArrayList<>();
        for (JsonNode topic : list(request.path("create"))) {
            Map<String, String> configs = new HashMap<>();
            topic.path("configs").properties().forEach(c -> configs.put(c.getKey(), c.getValue().asText()));
            created.add(new NewTopic(
                            topic.get("name").asText(),
                            topic.has("partitions") ? Optional.of(topic.get("partitions").asInt()) : Optional.empty(),
                            topic.has("replicas") ? Optional.of((short) topic.get("replicas").asInt()) : Optional.empty())
                    .configs(configs));
        }
        List<String> deleted = list(request.path("delete")).stream().map(JsonNode::asText).toList();
        for (var result : admin.deleteTopics(deleted).topicNameValues().values()) {
            ignoring(UnknownTopicOrPartitionException.class, result::get);
        }
        for (var result : admin.createTopics(created).values().values()) {
            ignoring(TopicExistsException.class, result::get);
        }
        Set<String> names = created.stream().map(NewTopic::name).collect(Collectors.toSet());
        List<String> all = new ArrayList<>(names);
        deleted.stream().filter(name -> !names.contains(name)).forEach(all::add);
        Set<TopicPartition> partitions = new HashSet<>();
        onEachBroker("to show the topics", DEADLINE_MS, broker -> {
            MetadataResponse answer = broker.ask(MetadataRequest.Builder.forTopicNames(all, false), MetadataResponse.class);
            for (var topic : answer.topicMetadata()) {
                if (names.contains(topic.topic())) {
                    if (topic.error() != Errors.NONE
                            || topic.partitionMetadata().stream().anyMatch(p -> p.leaderId.isEmpty())) {
                        return false;
                    }
                    topic.partitionMetadata().forEach(p -> partitions.add(p.topicPartition));
                } else if (topic.error() != Errors.UNKNOWN_TOPIC_OR_PARTITION) {
                    return false;
                }
            }
            return true;
        });
        // The leaders really lead: they give an offset.
        admin.listOffsets(partitions.stream().collect(Collectors.toMap(p -> p, p -> OffsetSpec.latest()))).all().get();
        return Admin.JSON.createObjectNode().put("partitions", partitions.size());
    }

    private JsonNode produce(JsonNode request) throws Exception {
        Map<String, Object> config = new HashMap<>(login);
        config.put("delivery.timeout.ms", 30_000);
        int count = 0;
        try (var producer = new KafkaProducer<>(config, new StringSerializer(), new StringSerializer())) {
            for (JsonNode record : list(request.get("records"))) {
                producer.send(new ProducerRecord<>(
                        request.get("topic").asText(), record.path("key").asText(null), record.path("value").asText(null))).get();
                count++;
            }
        }
        return Admin.JSON.createObjectNode().put("produced", count);
    }

    /** Opens a transaction with a record in it, and leaves it open. */
    private JsonNode begin(JsonNode request) throws Exception {
        String id = request.get("id_").asText();
        Map<String, Object> config = new HashMap<>(login);
        config.put("transactional.id", id);
        config.put("transaction.timeout.ms", 600_000);
        KafkaProducer<String, String> producer = new KafkaProducer<>(config, new StringSerializer(), new StringSerializer());
        producer.initTransactions();
        producer.beginTransaction();
        producer.send(new ProducerRecord<>(request.get("topic").asText(), null, "open")).get();
        transactions.put(id, producer);
        return Admin.JSON.createObjectNode();
    }

    /** Commits an open transaction: fails where somebody has fenced its producer. */
    private JsonNode end(JsonNode request) {
        try (var producer = transactions.remove(request.get("id_").asText())) {
            producer.commitTransaction();
        }
        return Admin.JSON.createObjectNode();
    }

    /** A user's quotas by name; null takes one away. Seen on every broker when the controller's log has reached them. */
    private JsonNode quota(JsonNode request) throws Exception {
        ClientQuotaEntity user = new ClientQuotaEntity(Map.of(ClientQuotaEntity.USER, request.get("user").asText()));
        List<ClientQuotaAlteration.Op> changes = request.get("quotas").properties().stream()
                .map(q -> new ClientQuotaAlteration.Op(q.getKey(), q.getValue().isNull() ? null : q.getValue().asDouble())).toList();
        admin.alterClientQuotas(List.of(new ClientQuotaAlteration(user, changes))).all().get();
        return Admin.JSON.createObjectNode();
    }

    /** Committed offsets for a group, which exists from then on. */
    private JsonNode commit(JsonNode request) throws Exception {
        Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
        for (JsonNode offset : list(request.get("offsets"))) {
            offsets.put(new TopicPartition(offset.get("topic").asText(), offset.path("partition").asInt(0)),
                    new OffsetAndMetadata(offset.get("offset").asLong()));
        }
        admin.alterConsumerGroupOffsets(request.get("group").asText(), offsets).all().get();
        return Admin.JSON.createObjectNode();
    }

    /** Makes __consumer_offsets and __transaction_state, which a cluster has from its first group and transaction on. */
    private JsonNode coordinators() throws Exception {
        admin.listConsumerGroupOffsets("bed-none").partitionsToOffsetAndMetadata().get();
        ignoring(org.apache.kafka.common.errors.TransactionalIdNotFoundException.class,
                () -> admin.describeTransactions(List.of("bed-none")).all().get());
        return Admin.JSON.createObjectNode();
    }

    private static Set<AclBinding> bindings(OneBroker broker, AclBindingFilter filter) throws IOException {
        DescribeAclsResponse answer = broker.ask(new DescribeAclsRequest.Builder(filter), DescribeAclsResponse.class);
        if (answer.error().isFailure()) {
            throw new IOException(answer.error().message());
        }
        return new HashSet<>(DescribeAclsResponse.aclBindings(answer.acls()));
    }

    /** {principal, host, operation, permission, resource, name, pattern}; what is missing matches anything. `operation` may be a list. */
    private static List<AclBindingFilter> filters(JsonNode acl) {
        for (var field : acl.properties()) {
            if (!Set.of("principal", "host", "operation", "permission", "resource", "name", "pattern").contains(field.getKey())) {
                throw new IllegalArgumentException("an ACL has no field " + field.getKey());
            }
        }
        ResourcePatternFilter resource = new ResourcePatternFilter(
                ResourceType.fromString(acl.path("resource").asText("ANY")),
                acl.path("name").asText(null),
                PatternType.fromString(acl.path("pattern").asText("ANY")));
        List<String> operations = acl.path("operation").isArray()
                ? list(acl.get("operation")).stream().map(JsonNode::asText).toList()
                : List.of(acl.path("operation").asText("ANY"));
        return operations.stream().map(operation -> new AclBindingFilter(resource, new AccessControlEntryFilter(
                acl.path("principal").asText(null), acl.path("host").asText(null), AclOperation.fromString(operation),
                AclPermissionType.fromString(acl.path("permission").asText("ANY"))))).toList();
    }

    /** The ACL that a filter describes; host, permission and pattern have the defaults of kafka-acls. */
    private static AclBinding binding(AclBindingFilter filter) {
        ResourcePatternFilter resource = filter.patternFilter();
        AccessControlEntryFilter entry = filter.entryFilter();
        return new AclBinding(
                new ResourcePattern(resource.resourceType(), resource.name(),
                        resource.patternType() == PatternType.ANY ? PatternType.LITERAL : resource.patternType()),
                new org.apache.kafka.common.acl.AccessControlEntry(
                        entry.principal(), entry.host() == null ? "*" : entry.host(), entry.operation(),
                        entry.permissionType() == AclPermissionType.ANY ? AclPermissionType.ALLOW : entry.permissionType()));
    }

    private void onEachBroker(String what, long milliseconds, Question question) throws Exception {
        until(what, milliseconds, id -> {
            OneBroker broker = brokers.get(id);
            synchronized (broker) {
                return question.ask(broker);
            }
        });
    }

    private interface Probe {
        boolean holds(int broker) throws IOException;
    }

    private void until(String what, long milliseconds, Probe probe) throws Exception {
        long end = System.currentTimeMillis() + milliseconds;
        List<Integer> ids;
        synchronized (down) {
            ids = addresses.keySet().stream().filter(id -> !down.contains(id)).toList();
        }
        for (int id : ids) {
            String reason = "it answers otherwise";
            while (true) {
                try {
                    if (probe.holds(id)) {
                        break;
                    }
                } catch (IOException | org.apache.kafka.common.KafkaException error) {
                    reason = error.toString();
                }
                if (System.currentTimeMillis() > end) {
                    throw new IOException("waited " + milliseconds + " ms for broker " + id + " " + what + ": " + reason);
                }
                Thread.sleep(5);
            }
        }
    }

    private interface Call {
        void run() throws Exception;
    }

    private static void ignoring(Class<? extends Exception> expected, Call call) throws Exception {
        try {
            call.run();
        } catch (ExecutionException error) {
            if (!expected.isInstance(error.getCause())) {
                throw error;
            }
        }
    }

    private static List<JsonNode> list(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false).toList();
    }

    @Override
    public void close() {
        transactions.values().forEach(producer -> producer.close(Duration.ZERO));
        brokers.values().forEach(OneBroker::close);
        admin.close();
    }
}
