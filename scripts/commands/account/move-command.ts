/** `openledger account move`: gives a leaf to another wallet, with the key of that wallet, and signs its name again. */
import { getLeaf } from "@openledger/client/sequencer/ledger-reads";
import { moveLeaf, signNameAgain } from "@openledger/client/tasks/move-leaf";
import { hex32 } from "@openledger/foundation/hex";
import { isAddress } from "viem";
import { findAccount } from "../../cli/account-file.ts";
import { commandError } from "../../cli/cli-errors.ts";
import {
  accountKey,
  accountOf,
  accountsPath,
  openSigner,
  parseAddress,
  resolveLeaf,
  signFor,
} from "../../cli/context.ts";
import { command, WAIT_OPTION, waitWithProgress } from "../../cli/run-command.ts";
import { ANY_HOST_OPTION } from "../datanet/host-options.ts";
import { MAX_FEE_OPTION, maxFeeOf } from "../money/max-fee.ts";

export const addMove = command({
  usage: "move <to>",
  about:
    "move a leaf, with all it earns, to another wallet: an account of the file, or an address with --key",
  options: {
    "--leaf <id>": "a Datanet or model of the account; default: its account leaf",
    "--key <key>": "the new wallet's ledger key, as 0x-hex, where <to> is an address",
    ...ANY_HOST_OPTION,
    ...MAX_FEE_OPTION,
    ...WAIT_OPTION,
  },
  examples: [
    "account move erin --account alice --host http://127.0.0.1:8560",
    "account move 0x… --key 0x… --leaf 12 --account alice --wait posted",
  ],
  run: async ({ options, args, output }) => {
    const [to] = args as [string];
    const signer = await openSigner(options);
    const { account, client } = signer;
    const leaf =
      options.leaf === undefined
        ? await accountOf(client, account.l1.address)
        : await resolveLeaf(client, options, options.leaf);
    const isForeign = isAddress(to, { strict: false });
    if (isForeign !== (options.key !== undefined) || !/^(0x[0-9a-fA-F]{1,64})?$/.test(options.key ?? ""))
      throw commandError(
        "CMD_USAGE",
        "an address needs --key, 0x and up to 64 digits; an account's name has its own",
      );
    const next = isForeign ? null : findAccount(accountsPath(options), to);
    const nextKey = next === null ? null : await accountKey(client, next, next.keyIndex);
    const keyX = nextKey?.keyX ?? BigInt(options.key!);
    const newOwner = next?.l1.address ?? parseAddress(to);
    const moved = await moveLeaf(await signFor(signer, leaf), {
      id: leaf.id,
      newOwner,
      keyX,
      ...maxFeeOf(options),
    });
    const last = moved.owner ?? moved.key;
    const target = last === null || "hash" in last ? last : { queueIndex: last.queueIndex };
    const stage =
      target === null ? null : (await waitWithProgress(client, target, options.wait, output)).stage;
    const lines = [
      `leaf ${leaf.id} belongs to ${newOwner}${stage === null ? " already" : `: ${stage}`}; its key is ${hex32(keyX)}`,
    ];
    let name: string | null = null;
    if (options.host !== undefined && nextKey !== null) {
      const signing = { ...client, l2Key: nextKey, leafId: leaf.id };
      name = await signNameAgain(signing, { hostUrl: options.host, leafId: leaf.id });
      if (name !== null) lines.push(`${options.host} calls it ${name} as before`);
    } else lines.push("its names are shown once the new key signs them: openledger account name");
    const { l1Owner } = await getLeaf(client, leaf.id);
    output.answer(lines, { leafId: leaf.id, newOwner, l1Owner, keyX: hex32(keyX), stage, name });
  },
});
