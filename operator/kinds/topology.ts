import { desiredBinding } from "./binding/desired.ts";
import { bindingKind } from "./binding/schema.ts";
import { desiredExchange } from "./exchange/desired.ts";
import { exchangeKind } from "./exchange/schema.ts";
import { desiredFederation, needsOfFederation } from "./federation/desired.ts";
import { federationKind } from "./federation/schema.ts";
import { desiredOperatorPolicy } from "./operator-policy/desired.ts";
import { operatorPolicyKind } from "./operator-policy/schema.ts";
import { desiredPermission } from "./permission/desired.ts";
import { permissionKind } from "./permission/schema.ts";
import { desiredPolicy } from "./policy/desired.ts";
import { policyKind } from "./policy/schema.ts";
import { desiredQueue } from "./queue/desired.ts";
import { queueKind } from "./queue/schema.ts";
import { desiredShovel, endsByItself, needsOfShovel } from "./shovel/desired.ts";
import { shovelKind } from "./shovel/schema.ts";
import { desiredSuperStream } from "./super-stream/desired.ts";
import { superStreamKind } from "./super-stream/schema.ts";
import { desiredTopicPermission } from "./topic-permission/desired.ts";
import { topicPermissionKind } from "./topic-permission/schema.ts";
import { type TopologyKind, topologyKind } from "./topology-kind.ts";
import { desiredUser, needsOfUser } from "./user/desired.ts";
import { userKind } from "./user/schema.ts";
import { desiredVhost } from "./vhost/desired.ts";
import { vhostKind } from "./vhost/schema.ts";

/** Every kind whose objects stand for something on a broker, one line each: caches, actors, CRDs, RBAC and reference iterate over it. */
export const TOPOLOGY: readonly TopologyKind[] = [
  topologyKind(bindingKind, { desired: desiredBinding, fixed: true }),
  topologyKind(exchangeKind, { desired: desiredExchange }),
  topologyKind(federationKind, { desired: desiredFederation, needs: needsOfFederation }),
  topologyKind(operatorPolicyKind, { desired: desiredOperatorPolicy }),
  topologyKind(permissionKind, { desired: desiredPermission }),
  topologyKind(policyKind, { desired: desiredPolicy }),
  topologyKind(queueKind, { desired: desiredQueue }),
  topologyKind(shovelKind, { desired: desiredShovel, needs: needsOfShovel, ends: endsByItself }),
  topologyKind(superStreamKind, { desired: desiredSuperStream }),
  topologyKind(topicPermissionKind, { desired: desiredTopicPermission }),
  topologyKind(userKind, { desired: desiredUser, needs: needsOfUser }),
  topologyKind(vhostKind, { desired: desiredVhost }),
];
