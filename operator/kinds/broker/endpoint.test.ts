import { describe, expect, test } from "vitest";
import { brokerEndpoint } from "./endpoint.ts";

const good: readonly [why: string, uri: string, management: string | undefined, want: object][] = [
  [
    "the management API is on port 15672 of the same host, with the same login",
    "amqp://user:secret@rabbit:5673/shop",
    undefined,
    {
      host: "rabbit",
      port: 5673,
      vhost: "shop",
      tls: false,
      username: "user",
      password: "secret",
      management: { url: "http://rabbit:15672", username: "user", password: "secret" },
      display: "rabbit:5673/shop",
    },
  ],
  ["without a path the vhost is /", "amqp://u:p@h", undefined, { vhost: "/", port: 5672, display: "h:5672/" }],
  ["with an empty path, too", "amqp://u:p@h/", undefined, { vhost: "/" }],
  ["%2F is /", "amqp://u:p@h/%2F", undefined, { vhost: "/", display: "h:5672/" }],
  ["TLS has its port, and management has TLS where AMQP has it", "amqps://u:p@h/v", undefined, { tls: true, port: 5671 }],
  ["management with TLS", "amqps://u:p@h/v", undefined, { management: { url: "https://h:15672", username: "u", password: "p" } }],
  [
    "everything is percent-decoded",
    "amqp://us%40er:p%25%2F%3A@h/a%20b%2Fc",
    undefined,
    { username: "us@er", password: "p%/:", vhost: "a b/c" },
  ],
  ["without a login it is RabbitMQ's own", "amqp://h", undefined, { username: "guest", password: "guest" }],
  ["kombu's name for the protocol", "pyamqp://u:p@h//", undefined, { message: expect.any(String) }],
  ["kombu's name with a vhost", "pyamqp://u:p@h/v", undefined, { vhost: "v" }],
  [
    "white space around, as editors leave it",
    " amqp://u:p@h/v\n",
    "http://m:1\n",
    { vhost: "v", management: expect.objectContaining({ url: "http://m:1" }) },
  ],
  [
    "IPv6",
    "amqp://u:p@[::1]:5672/",
    undefined,
    { host: "::1", display: "[::1]:5672/", management: expect.objectContaining({ url: "http://[::1]:15672" }) },
  ],
  [
    "management of its own",
    "amqp://u:p@h",
    "https://a:b@m/rabbit/",
    { management: { url: "https://m/rabbit", username: "a", password: "b" } },
  ],
  [
    "management with the login of AMQP, and /api written out",
    "amqp://u:p@h",
    "http://m:15673/api/",
    { management: { url: "http://m:15673", username: "u", password: "p" } },
  ],
];
test.for(good)("%s", ([, uri, management, want]) => expect(brokerEndpoint(uri, management)).toMatchObject(want));

const bad: readonly [why: string, uri: string, management: string | undefined, field: string][] = [
  ["nothing", "", undefined, "uriFrom"],
  ["another protocol", "http://u:hunter2@h", undefined, "uriFrom"],
  ["no host", "amqp://u:hunter2@/v", undefined, "uriFrom"],
  ["a password with a bare %", "amqp://u:hunter2%@h/v", undefined, "uriFrom"],
  ["a password with a bare /", "amqp://u:hunt/er2@h/v", undefined, "uriFrom"],
  ["a vhost with a bare /", "amqp://u:hunter2@h/a/b", undefined, "uriFrom"],
  ["another protocol for management", "amqp://u:p@h", "amqp://u:hunter2@h", "managementFrom"],
  ["a management password with a bare %", "amqp://u:p@h", "http://u:hunter2%@h", "managementFrom"],
];
describe("what is no broker is refused, by field, without showing the login", () => {
  test.for(bad)("%s", ([, uri, management, field]) => {
    const refused = brokerEndpoint(uri, management);
    expect(refused).toMatchObject({ field, message: expect.stringMatching(/expected|percent-encoded/) });
    expect(JSON.stringify(refused)).not.toMatch(/hunt|er2/);
  });
});
