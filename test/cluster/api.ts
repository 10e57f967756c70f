import { readFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { home } from "./home.ts";
import type { ClusterState } from "./state.ts";

export interface ApiAnswer {
  readonly status: number;
  readonly body: string;
}

/** Asks the local cluster's API server one question. Never retries. Throws when it does not answer within three seconds. */
export async function askApi(state: ClusterState, path: string, method = "GET", body?: unknown): Promise<ApiAnswer> {
  return await new Promise((done, fail) => {
    const asked = request({
      host: state.network.gateway,
      port: state.ports.apiServer,
      path,
      method,
      agent: false,
      timeout: 3_000,
      ca: readFileSync(join(home().run, "certificates", "ca.crt")),
      headers: {
        authorization: `Bearer ${state.adminToken}`,
        "content-type": method === "PATCH" ? "application/merge-patch+json" : "application/json",
      },
    });
    asked.once("timeout", () => asked.destroy(new Error("no answer within 3 s")));
    asked.once("error", fail);
    asked.once("response", (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.once("error", fail);
      answer.once("end", () => done({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") }));
    });
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** Whether the API server can be used now. */
export async function apiReady(state: ClusterState): Promise<boolean> {
  return await askApi(state, "/readyz").then(
    ({ status }) => status === 200,
    () => false,
  );
}
