import { join } from "node:path";
import { run } from "./commands.ts";
import { home } from "./home.ts";

export const containerdSocket = (): string => join(home().run, "containerd.sock");

/** Asks the cluster's containerd, in the namespace that the kubelet uses. */
export async function ctr(...args: string[]): Promise<string> {
  return await run("ctr", ["--address", containerdSocket(), "--namespace", "k8s.io", ...args], { step: "ask containerd" });
}
