import { type Cluster, up } from "../cluster/cluster.ts";
import { buildImages } from "./images.ts";
import { installOperator } from "./operator.ts";

/** The cluster with the product of this checkout installed on it by the chart, as the demo does. Quick when it is already so. */
export async function installed(): Promise<Cluster> {
  const cluster = await up();
  await installOperator(cluster, await buildImages(cluster));
  return cluster;
}
