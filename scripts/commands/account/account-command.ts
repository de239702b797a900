/** `openledger account`: creates keys in the accounts file, publishes a display name, replaces a leaf's key, moves a leaf. */
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { setDisplayName } from "@openledger/client/datanets/display-names";
import { createRandomKey } from "@openledger/client/l2-key";
import { replaceKey } from "@openledger/client/tasks/replace-key";
import { hex32 } from "@openledger/foundation/hex";
import type { Command } from "commander";
import { addAccount, noteKeyIndex } from "../../cli/account-file.ts";
import { commandError } from "../../cli/cli-errors.ts";
import {
  accountKey,
  accountOf,
  accountsPath,
  type GlobalOptions,
  openSigner,
  resolveLeaf,
  type Signer,
  signFor,
} from "../../cli/context.ts";
import { defineOptions } from "../../cli/options.ts";
import { command, WAIT_OPTION, waitWithProgress, withExample } from "../../cli/run-command.ts";
import { HOST_OPTION } from "../datanet/host-options.ts";
import { installationPaths } from "../operate/installation/installation.ts";
import { addMove } from "./move-command.ts";

const LEAF_OPTION = defineOptions({
  "--leaf <id>": "a Datanet or model of the account; default: its account leaf",
});

/** Adds new, name, rotate-key and move. */
export function addAccountCommands(program: Command): void {
  const account = program.command("account").description("keys and names");
  withExample(account, "account new erin");
  addNew(account);
  addName(account);
  addRotateKey(account);
  addMove(account);
}

const addNew = command({
  usage: "new <name>",
  about: "create an Ethereum key and its ledger key in the accounts file",
  options: { "--random-key": "use a random ledger key, not one derived from a wallet signature" },
  examples: ["account new erin", "account new erin --random-key"],
  run: async ({ options, args, output }) => {
    const path = accountsPath(options);
    if (existsSync(installationPaths(dirname(path)).settings))
      throw commandError(
        "CMD_USAGE",
        `${dirname(path)} is an operator's installation, and keys of accounts are in clear text: --accounts-file FILE names another place`,
      );
    const random = options.randomKey === true ? await createRandomKey() : null;
    const made = await addAccount(path, {
      name: args[0]!,
      ...(random === null ? {} : { l2Secret: random.secret }),
    });
    const lines = [
      `${made.name} is ${made.l1.address}; its keys are in ${path}, in clear text`,
      "it needs ether for L1 transactions and OPEN to deposit",
    ];
    output.answer(lines, {
      name: made.name,
      address: made.l1.address,
      accountsFile: path,
      keyX: random === null ? null : hex32(random.keyX),
    });
  },
});

const addName = command({
  usage: "name <name>",
  about: "sign a display name for the account or its model, and publish it on a host",
  options: { ...HOST_OPTION, ...LEAF_OPTION },
  examples: [
    "account name Alice --account alice --host http://127.0.0.1:8560",
    'account name "Weather model" --leaf 12 --account mia --host http://127.0.0.1:8560',
  ],
  run: async ({ options, args, output }) => {
    const signer = await openSigner(options);
    const leaf = await leafOf(signer, options);
    const [name] = args as [string];
    const client = await signFor(signer, leaf);
    await setDisplayName(client, { hostUrl: options.host, name, leafId: leaf.id });
    output.answer([`leaf ${leaf.id} is called ${name} at ${options.host}`], { leafId: leaf.id, name });
  },
});

const leafOf = ({ client, account }: Signer, options: GlobalOptions & { leaf?: string | undefined }) =>
  options.leaf === undefined
    ? accountOf(client, account.l1.address)
    : resolveLeaf(client, options, options.leaf);

const addRotateKey = command({
  usage: "rotate-key",
  about: "replace the key that signs for a leaf by the wallet's next key",
  options: {
    ...LEAF_OPTION,
    ...WAIT_OPTION,
  },
  examples: ["account rotate-key --account alice", "account rotate-key --leaf 12 --account alice"],
  forcedAs: "force setKey id=LEAF",
  run: async ({ options, output }) => {
    const signer = await openSigner(options);
    const { client, account } = signer;
    const leaf = await leafOf(signer, options);
    if (account.l2Secret !== null) {
      throw commandError(
        "CMD_USAGE",
        "a random key has no next key; create an account without --random-key and transfer to it",
      );
    }
    const keyIndex = account.keyIndex + 1;
    const { keyX } = await accountKey(client, account, keyIndex);
    // Noted first: a key in use that the file does not know would be a lost one.
    if (options.privateKeyFile === undefined)
      await noteKeyIndex(accountsPath(options), account.name, keyIndex);
    const sent = await replaceKey(await signFor(signer, leaf), { keyX, from: leaf.id });
    if (sent === null) {
      output.answer([`leaf ${leaf.id} has key ${keyIndex} of ${account.name} already`], {
        leafId: leaf.id,
        keyIndex,
        keyX: hex32(keyX),
      });
      return;
    }
    const target = { hash: sent.hash };
    const { stage } = await waitWithProgress(client, target, options.wait, output);
    const lines = [`leaf ${leaf.id} is signed for by key ${keyIndex} of ${account.name} now (${stage})`];
    output.answer(lines, { leafId: leaf.id, keyIndex, keyX: hex32(keyX), ...target, stage });
  },
});
