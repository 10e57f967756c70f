// The door to every npm script. A fresh clone has neither node_modules nor the pinned Node, and the machine's own Node may be too old
// to run TypeScript: this file is plain JavaScript for Node 18 and later. It installs what package-lock.json says, once per change of
// that file, then hands over to the pinned Node.
// Usage: node test/start.mjs <script.ts> [arguments]
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, "node_modules");
const stamp = join(modules, ".installed-for");
const wanted = createHash("sha256")
  .update(readFileSync(join(root, "package-lock.json")))
  .digest("hex");
const pinnedNode = join(modules, "node", "bin", "node");

function installed() {
  return existsSync(pinnedNode) && existsSync(stamp) && readFileSync(stamp, "utf8") === wanted;
}

if (!installed()) {
  process.stderr.write("installing npm packages…\n");
  // Not `npm ci`: it fails where a registry does not carry the binaries of other platforms. The lock file decides all the same.
  const done = spawnSync("npm", ["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    stdio: ["ignore", 2, 2],
  });
  if (done.status !== 0) {
    process.stderr.write("npm install failed: see above. It needs the npm registry that your npm is configured for.\n");
    process.exit(1);
  }
  if (!existsSync(pinnedNode)) {
    // npm was told not to run install scripts: run the one that matters.
    spawnSync("npm", ["rebuild", "node"], { cwd: root, stdio: ["ignore", 2, 2] });
  }
  if (!existsSync(pinnedNode)) {
    process.stderr.write(
      "the npm package `node` brought no binary: allow its install script (npm config get ignore-scripts) and try again.\n",
    );
    process.exit(1);
  }
  writeFileSync(stamp, wanted);
}

const [script, ...args] = process.argv.slice(2);
const child = spawn(pinnedNode, [join(root, script), ...args], {
  cwd: root,
  stdio: "inherit",
  env: { ...process.env, PATH: `${join(modules, "node", "bin")}:${join(modules, ".bin")}:${process.env.PATH}` },
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code, signal) => process.exit(signal ? 128 : (code ?? 1)));
