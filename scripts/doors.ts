/**
 * Renews the doors of the workspaces: the `exports` of each `package.json` have an entry for each file that product files of
 * other workspaces import. Run it after a new import between workspaces: npx tsx scripts/doors.ts. What a workspace may import
 * at all is in its `dependencies`, which are kept by hand.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { exportsOf } from "./house/doors.ts";
import { readTree } from "./house/tree.ts";
import { readWorkspaces } from "./house/workspaces.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const tree = readTree(root);
for (const workspace of readWorkspaces(root)) {
  const path = join(root, workspace.folder, "package.json");
  const before = readFileSync(path, "utf8");
  const manifest = { ...JSON.parse(before), exports: exportsOf(workspace, tree) };
  const after = `${JSON.stringify(manifest, null, 2)}\n`;
  if (after !== before) writeFileSync(path, after);
}
