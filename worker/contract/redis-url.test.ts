import { expect, test } from "vitest";
import { redisTarget } from "./redis-url.ts";

test.for<[url: string, want: object]>([
  ["redis://:pw@host:6380/3", { url: "redis://:pw@host:6380/3" }],
  [
    "sentinel://user:p%40ss@a:26380,b/main/2?sentinelPassword=other",
    {
      sentinel: {
        sentinels: [
          { host: "a", port: 26_380 },
          { host: "b", port: 26_379 },
        ],
        name: "main",
        db: 2,
        username: "user",
        password: "p@ss",
        sentinelPassword: "other",
      },
    },
  ],
  ["sentinel://a/main", { sentinel: { sentinels: [{ host: "a", port: 26_379 }], name: "main", db: 0 } }],
])("%s", ([url, want]) => expect(redisTarget(url, "X")).toEqual(want));

test.for(["", "http://a", "sentinel://:secret@a:1", "sentinel://:secret@a:x/main", "sentinel://:secret@,/main"])(
  "%s is refused by the setting's name, and no password is shown",
  (url) => {
    expect(() => redisTarget(url, "CELERY_RESULT_BACKEND")).toThrow(/^CELERY_RESULT_BACKEND: expected/);
    expect(() => redisTarget(url, "X")).not.toThrow(/secret/);
  },
);
