/** Difference between two versions of a Datanet: rows that were added, removed or reassigned. version-routes.ts serves it. */
import type { ListedRow } from "../rows/row-wire.ts";

interface VersionChange {
  readonly change: "added" | "removed" | "reassigned";
  readonly digest: string;
  /** Absent if the row is added. */
  readonly before?: { readonly contributorId: number; readonly validatorId: number };
  /** Absent if the row is removed. */
  readonly after?: { readonly contributorId: number; readonly validatorId: number };
}

/** Lists the changes between two versions: removed rows first, in their order, then added and reassigned ones in theirs. */
export function versionDifference(before: readonly ListedRow[], after: readonly ListedRow[]) {
  const owners = ({ contributorId, validatorId }: ListedRow) => ({ contributorId, validatorId });
  const old = new Map(before.map((row) => [row.digest, row]));
  const laterDigests = new Set(after.map(({ digest }) => digest));
  const changes: VersionChange[] = before
    .filter(({ digest }) => !laterDigests.has(digest))
    .map((row) => ({ change: "removed", digest: row.digest, before: owners(row) }));
  const removedCount = changes.length;
  let addedCount = 0;
  for (const row of after) {
    const was = old.get(row.digest);
    if (was === undefined) {
      addedCount += 1;
      changes.push({ change: "added", digest: row.digest, after: owners(row) });
    } else if (was.contributorId !== row.contributorId || was.validatorId !== row.validatorId)
      changes.push({ change: "reassigned", digest: row.digest, before: owners(was), after: owners(row) });
  }
  const reassignedCount = changes.length - removedCount - addedCount;
  return { addedCount, removedCount, reassignedCount, keptCount: laterDigests.size - addedCount, changes };
}
