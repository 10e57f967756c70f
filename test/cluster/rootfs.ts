import { existsSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "./commands.ts";
import { home } from "./home.ts";
import { withLock } from "./lock.ts";
import { step } from "./progress.ts";

/** The Debian trees that we need: each brings other versions of the servers. */
const TREES = {
  bookworm: { suite: "bookworm", include: "rabbitmq-server,ca-certificates", brings: "RabbitMQ 3.10" },
  trixie: { suite: "trixie", include: "rabbitmq-server,redis-server,ca-certificates", brings: "RabbitMQ 4.0 and Redis" },
  sid: { suite: "sid", include: "rabbitmq-server,ca-certificates", brings: "RabbitMQ 4.3" },
  base: { suite: "bookworm", include: "ca-certificates", brings: "the base image" },
  python: { suite: "bookworm", include: "python3,ca-certificates", brings: "the Celery image" },
} as const;
export type Tree = keyof typeof TREES;

/** Counts up when the way a tree is made changes, so that old caches are not used. */
const RECIPE = 1;

/** The folder with a Debian tree, made once by debootstrap. Nothing is ever started in it here. */
export async function rootfs(tree: Tree): Promise<string> {
  const folder = join(home().cache, `rootfs-${tree}-${RECIPE}`);
  if (existsSync(folder)) return folder;
  return await withLock(`rootfs-${tree}`, async () => {
    if (existsSync(folder)) return folder;
    const { suite, include, brings } = TREES[tree];
    const draft = `${folder}.partial`;
    await rm(draft, { recursive: true, force: true });
    await step(`fetching Debian ${suite} for ${brings} (about 1 min, once)`, async () => {
      const mirror = process.env["LONGSHORE_DEBIAN_MIRROR"];
      // In a mount namespace of its own: an interrupted debootstrap would leave /proc mounted in the draft.
      await run(
        "unshare",
        [
          "--mount",
          "--propagation",
          "private",
          "--",
          "debootstrap",
          "--variant=minbase",
          `--include=${include}`,
          suite,
          draft,
          ...(mirror ? [mirror] : []),
        ],
        {
          log: join(home().logs, `rootfs-${tree}.log`),
          step: `fetch Debian ${suite}`,
          advice: "see whether a Debian mirror answers; LONGSHORE_DEBIAN_MIRROR names another one",
        },
      );
      await trim(draft);
      await rename(draft, folder);
    });
    return folder;
  });
}

/** Without `localhost` in /etc/hosts, RabbitMQ 4.3 hangs at its start and says nothing. */
async function trim(tree: string): Promise<void> {
  await writeFile(join(tree, "etc", "hosts"), "127.0.0.1 localhost\n::1 localhost\n");
  for (const folder of [
    "var/cache/apt",
    "var/lib/apt/lists",
    "usr/share/doc",
    "usr/share/man",
    "usr/share/locale",
    "usr/share/info",
    "var/log",
  ]) {
    await rm(join(tree, folder), { recursive: true, force: true });
    await mkdir(join(tree, folder), { recursive: true });
  }
  await mkdir(join(tree, "var/cache/apt/archives/partial"), { recursive: true });
  await mkdir(join(tree, "var/lib/apt/lists/partial"), { recursive: true });
}

export interface InTree {
  readonly tree: string;
  /** Folders of the host, and where they appear in the tree. */
  readonly binds: readonly (readonly [host: string, inside: string])[];
  readonly env: Readonly<Record<string, string>>;
  readonly command: readonly string[];
}

const ENTER = `set -e
tree="$1"; shift
mount --rbind /dev "$tree/dev"
mount -t proc proc "$tree/proc" 2>/dev/null || mount --bind /proc "$tree/proc"
while [ "$1" != -- ]; do
  mkdir -p "$tree$2"
  mount --bind "$1" "$tree$2"
  shift 2
done
shift
exec chroot "$tree" "$@"
`;

/**
 * The command that runs a program of a tree, with the same pid. Its mounts are in a namespace of their own, so they vanish with it,
 * and several programs share one tree without seeing each other's folders.
 */
export function insideTree({ tree, binds, env, command }: InTree): { readonly command: string; readonly args: readonly string[] } {
  const variables = Object.entries({ PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LANG: "C.UTF-8", ...env }).map(
    ([name, value]) => `${name}=${value}`,
  );
  return {
    command: "unshare",
    args: [
      "--mount",
      "--propagation",
      "private",
      "--",
      "sh",
      "-c",
      ENTER,
      "tree",
      tree,
      ...binds.flat(),
      "--",
      "/usr/bin/env",
      "-i",
      ...variables,
      ...command,
    ],
  };
}
