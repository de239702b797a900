/**
 * `openledger group`: groups whose members own a key together are withdrawn. `status` shows the shares that an account has, and every
 * other command is refused by name, whatever its options.
 */
import { charterSession, groupKeyX } from "@openledger/client/groups/group-charter";
import { findLeaves } from "@openledger/client/sequencer/ledger-reads";
import { groupsWithdrawn } from "@openledger/datanets/records/groups-withdrawn";
import type { Command } from "commander";
import { openSigner } from "../../cli/context.ts";
import { command, onRun, withExample } from "../../cli/run-command.ts";
import { storedShares } from "../../cli/share-files.ts";

const WITHDRAWN = ["found", "join", "sign", "replace", "import"] as const;

export function addGroupCommands(program: Command): void {
  const group = program
    .command("group")
    .description("withdrawn: shares of keys that several own together (docs/how-to/own-together.md)");
  withExample(group, "group status --account alice");
  addStatus(group);
  for (const name of WITHDRAWN) {
    const refused = group
      .command(`${name} [words...]`)
      .description("withdrawn: refused with DNT_GROUPS_WITHDRAWN, and changes nothing")
      // Options of earlier versions: the refusal says more than that they are unknown.
      .allowUnknownOption();
    onRun(withExample(refused, `group ${name}`), async () => {
      throw groupsWithdrawn();
    });
  }
}

const addStatus = command({
  usage: "status",
  about: "the shares of groups that this account has on this machine, and what their keys own",
  examples: ["group status --account alice"],
  run: async ({ options, output }) => {
    const { client, key } = await openSigner(options);
    const { others, shares } = storedShares(client, key);
    const groups = await Promise.all(
      shares.map(async ({ member, path }) => {
        const { members, name, threshold } = member.group.charter;
        const keyX = groupKeyX(member.keys);
        const leaves = (await findLeaves(client, { keyX: BigInt(keyX) })).map(({ id, kind, l1Owner }) => ({
          id,
          kind,
          l1Owner,
        }));
        return {
          name,
          session: charterSession(member.group.charter),
          keyX,
          threshold,
          members,
          leaves,
          path,
        };
      }),
    );
    const lines = groups.flatMap(({ keyX, leaves, members, name, path, threshold }) => [
      `${name}: ${threshold} of ${members.length} (leaves ${members.map(({ leafId }) => leafId).join(", ")}), key ${keyX}`,
      `  owns ${leaves.map(({ id, kind, l1Owner }) => `${kind} ${id} of ${l1Owner}`).join(", ") || "nothing"}`,
      `  share: ${path}`,
    ]);
    output.answer(
      [
        ...(groups.length > 0 ? lines : ["this account has no share of a group here"]),
        ...others.map(({ path, why }) => `no share of a finished group: ${path} (${why})`),
        "groups are withdrawn: keep each share's file, and read docs/how-to/own-together.md",
      ],
      { groups, others },
    );
  },
});
