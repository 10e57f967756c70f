/** What AMQP calls a field's value; null is its "no value", which brokers keep. */
export type ArgumentValue = string | number | boolean | null | readonly ArgumentValue[] | { readonly [key: string]: ArgumentValue };
export type Arguments = Readonly<Record<string, ArgumentValue>>;

/** Types of things that are set as a whole and may be set anew at any time; in the order in which they need each other. */
export const SETTING_TYPES = [
  "vhost",
  "user",
  "permission",
  "topic-permission",
  "policy",
  "operator-policy",
  "federation-upstream",
  "shovel",
] as const;
export type SettingType = (typeof SETTING_TYPES)[number];

/**
 * A vhost, user, permission, policy or parameter. `name` is what it is called; of a permission the user, of a topic permission user and
 * exchange, each percent-encoded, with `/` between them. `properties` are those that Longshore sets, as the management API spells them.
 */
export interface Setting {
  readonly type: SettingType;
  readonly name: string;
  readonly properties: Arguments;
}

/** What is declared once, and cannot be changed then. */
export type Declared =
  | {
      readonly type: "exchange";
      readonly name: string;
      readonly kind: string;
      readonly durable: boolean;
      readonly autoDelete: boolean;
      readonly internal: boolean;
      readonly arguments: Arguments;
    }
  | {
      readonly type: "queue";
      readonly name: string;
      readonly kind: "classic" | "quorum" | "stream";
      readonly durable: boolean;
      readonly autoDelete: boolean;
      readonly exclusive: boolean;
      readonly arguments: Arguments;
    }
  | {
      readonly type: "binding";
      readonly source: string;
      readonly destinationType: "queue" | "exchange";
      readonly destination: string;
      readonly routingKey: string;
      readonly arguments: Arguments;
    };

/** One thing on the broker. Names are the broker's, not Kubernetes'. */
export type BrokerObject = Declared | Setting;

/** What is looked at as one: a setting, or a queue or exchange with every binding that leads into it. */
export interface Target {
  readonly type: "queue" | "exchange" | SettingType;
  readonly name: string;
}

/** Where a binding may lead. */
export interface Destination extends Target {
  readonly type: "queue" | "exchange";
}

/** What a snapshot is made of: exchanges, queues and bindings together, and each type of setting by itself. */
export type Part = "topology" | SettingType;

export const isSetting = (object: BrokerObject): object is Setting => "properties" in object;

export const partOf = ({ type }: Target): Part => (type === "queue" || type === "exchange" ? "topology" : type);
