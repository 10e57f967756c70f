import { type Cluster, helm } from "../cluster/cluster.ts";
import { run } from "./kubectl.ts";

export const OPERATOR_NAMESPACE = "longshore-system";

const reference = (image: string): [repository: string, tag: string] => {
  const at = image.lastIndexOf(":");
  return [image.slice(0, at), image.slice(at + 1)];
};

/** `helm upgrade --install`, as a user would, and waits for the operator. */
export async function installOperator(cluster: Cluster, images: { operator: string; video: string }): Promise<void> {
  const [repository, tag] = reference(images.operator);
  const [workerRepository, workerTag] = reference(images.video);
  const settings = {
    "image.repository": repository,
    "image.tag": tag,
    "worker.image.repository": workerRepository,
    "worker.image.tag": workerTag,
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ["--set", `${name}=${value}`]);
  await run(cluster, await helm(), [
    "upgrade",
    "--install",
    "longshore",
    "charts/longshore",
    "--namespace",
    OPERATOR_NAMESPACE,
    "--create-namespace",
    "--wait",
    "--timeout",
    "120s",
    ...flags,
  ]);
}
