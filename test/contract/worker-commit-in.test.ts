import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chown, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Pool } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Committed, commitIn, EFFECTS_TABLE } from "../../worker/tasks/commit-in.ts";
import { ensurePackages } from "../cluster/packages.ts";

const run = promisify(execFile);
const CLUSTERS = "/usr/lib/postgresql";

/** Debian's Postgres over a socket in a folder of its own. It refuses to run as root. */
async function startPostgres() {
  await ensurePackages([["postgresql", CLUSTERS]]);
  const version = (await readdir(CLUSTERS)).toSorted((a, b) => Number(a) - Number(b)).at(-1) ?? "";
  const bin = join(CLUSTERS, version, "bin");
  const { stdout } = await run("id", ["-u", "postgres"]);
  const uid = Number(stdout);
  const folder = await mkdtemp(join(tmpdir(), "longshore-pg-"));
  await chown(folder, uid, uid);
  await run(join(bin, "initdb"), ["-D", join(folder, "data"), "-U", "postgres", "--auth=trust", "--no-sync"], { uid, cwd: folder });
  const server = spawn(join(bin, "postgres"), ["-D", join(folder, "data"), "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off"], {
    uid,
    cwd: folder,
    stdio: "ignore",
  });
  const ended = once(server, "exit");
  return {
    pool: new Pool({ host: folder, user: "postgres", database: "postgres" }),
    async stop() {
      server.kill("SIGQUIT");
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

let postgres: Awaited<ReturnType<typeof startPostgres>>;
beforeAll(async () => {
  postgres = await startPostgres();
  // The server listens a moment after it began.
  for (;;) {
    const up = await postgres.pool.query(EFFECTS_TABLE).then(
      () => true,
      () => false,
    );
    if (up) break;
    await new Promise((resolve) => void setTimeout(resolve, 50));
  }
  await postgres.pool.query("create table accounts (name text primary key, euros int not null)");
  await postgres.pool.query("insert into accounts values ('shop', 0)");
});
afterAll(async () => {
  await postgres.pool.end();
  await postgres.stop();
});

const euros = async (): Promise<unknown> => (await postgres.pool.query("select euros from accounts")).rows[0].euros;

/** One attempt at one effect, in a transaction of its own. `crash` loses the connection before the commit. */
async function attempt(key: string, fence: string, value: string, crash = false): Promise<string> {
  const client = await postgres.pool.connect();
  try {
    await client.query("begin");
    await client.query("update accounts set euros = euros + 5");
    await commitIn(key, fence, client, value);
    if (crash) return "crashed";
    await client.query("commit");
    return value;
  } catch (error) {
    await client.query("rollback");
    if (error instanceof Committed) return `before: ${String(error.value)}`;
    throw error;
  } finally {
    // A client that is thrown away takes an open transaction with it.
    client.release(crash);
  }
}

test("an effect in the transaction of commitIn happens once, and a second attempt gets the first one's value", async () => {
  expect(await attempt("one", "1", "paid")).toBe("paid");
  expect(await attempt("one", "2", "paid again")).toBe("before: paid");
  expect(await euros()).toBe(5);
});

test("what was not committed did not happen, and the next attempt does it", async () => {
  const before = Number(await euros());
  expect(await attempt("two", "1", "lost", true)).toBe("crashed");
  expect(await attempt("two", "2", "paid")).toBe("paid");
  expect(await euros()).toBe(before + 5);
});

test("of twenty attempts at the same time one has the effect, and all have its value", async () => {
  const before = Number(await euros());
  const answers = await Promise.all(Array.from({ length: 20 }, (_, at) => attempt("three", String(at), `paid by ${at}`)));
  const [winner = ""] = answers.filter((answer) => !answer.startsWith("before"));
  expect(new Set(answers)).toEqual(new Set([winner, `before: ${winner}`]));
  expect(await euros()).toBe(before + 5);
});

test("a task without a lease is told that it has no key", async () => {
  await expect(attempt("", "0", "x")).rejects.toThrow('mode "none"');
});
