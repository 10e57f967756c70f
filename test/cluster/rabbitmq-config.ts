export interface BrokerPorts {
  readonly amqp: number;
  readonly management: number;
  readonly prometheus: number;
  readonly stream: number;
  readonly distribution: number;
  readonly epmd: number;
}

export const PLUGINS = [
  "rabbitmq_management",
  "rabbitmq_prometheus",
  "rabbitmq_event_exchange",
  "rabbitmq_consistent_hash_exchange",
  "rabbitmq_shovel",
  "rabbitmq_shovel_management",
  "rabbitmq_federation",
  "rabbitmq_federation_management",
  "rabbitmq_stream",
] as const;

export interface BrokerConfig {
  readonly ports: BrokerPorts;
  readonly gateway: string;
  readonly password: string;
  readonly extra: string;
}

/** The text of rabbitmq.conf. Listens on the loopback and on the address that pods see, and nowhere else. */
export function rabbitmqConf({ ports, gateway, password, extra }: BrokerConfig): string {
  return `listeners.tcp.local = 127.0.0.1:${ports.amqp}
listeners.tcp.pods = ${gateway}:${ports.amqp}
management.tcp.ip = ${gateway}
management.tcp.port = ${ports.management}
prometheus.tcp.ip = ${gateway}
prometheus.tcp.port = ${ports.prometheus}
stream.listeners.tcp.local = 127.0.0.1:${ports.stream}
stream.listeners.tcp.pods = ${gateway}:${ports.stream}
stream.advertised_host = ${gateway}
stream.advertised_port = ${ports.stream}
loopback_users = none
default_user = longshore
default_pass = ${password}
default_user_tags.administrator = true
default_vhost = /
default_permissions.configure = .*
default_permissions.read = .*
default_permissions.write = .*
vm_memory_high_watermark.absolute = 2GiB
disk_free_limit.absolute = 100MB
management.rates_mode = basic
collect_statistics_interval = 5000
log.console = true
log.console.level = warning
log.file = false
${extra}
`;
}

/** What RabbitMQ's scripts read. Idle schedulers sleep instead of spinning: several brokers share two cores with the tests. */
export function rabbitmqEnv(name: string, ports: BrokerPorts): Record<string, string> {
  const local = "{127,0,0,1}";
  return {
    HOME: "/var/lib/rabbitmq",
    RABBITMQ_NODENAME: `${name}@localhost`,
    RABBITMQ_DIST_PORT: String(ports.distribution),
    ERL_EPMD_PORT: String(ports.epmd),
    ERL_EPMD_ADDRESS: "127.0.0.1",
    RABBITMQ_CONFIG_FILE: "/etc/rabbitmq/rabbitmq.conf",
    RABBITMQ_ENABLED_PLUGINS_FILE: "/etc/rabbitmq/enabled_plugins",
    RABBITMQ_LOG_BASE: "/var/lib/rabbitmq/log",
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: `+sbwt none +sbwtdcpu none +sbwtdio none +S 2:2 -kernel inet_dist_use_interface ${local}`,
    RABBITMQ_CTL_ERL_ARGS: `+sbwt none +sbwtdcpu none +sbwtdio none +S 1:1 -kernel inet_dist_use_interface ${local}`,
  };
}
