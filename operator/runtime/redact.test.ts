import { expect, test } from "vitest";
import { withoutLogin } from "./redact.ts";

test.for([
  ["amqp://guest:secret@rabbit:5672/v", "amqp://***@rabbit:5672/v"],
  ["cannot reach amqps://u:p%40ss@h and redis://:pw@r:6379/0!", "cannot reach amqps://***@h and redis://***@r:6379/0!"],
  ["redis://user:p@ss@host", "redis://***@host"],
  ["redis://user:p/a@ss@host/0", "redis://***@host/0"],
  ['{"uri":"amqp://host","by":"a@b"}', '{"uri":"amqp://host","by":"a@b"}'],
  ["http://host:15672/api/queues", "http://host:15672/api/queues"],
  ["no url, a@b", "no url, a@b"],
] as const)("%s", ([text, want]) => expect(withoutLogin(text)).toBe(want));
