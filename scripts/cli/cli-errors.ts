import { defineErrors } from "../../circuits/error-table.ts";

/** Codes of the command line itself. */
export const commandErrors = defineErrors("CMD", {
  CMD_USAGE: {
    meaning: "a command's arguments make no sense; the message says which",
    remedy: "add --help to the command",
  },
  CMD_FILE_UNREADABLE: {
    meaning:
      "a file that the command reads is missing or not of its form: a preconfirmation, a list of rows, the provers' payments; `data.path`",
    remedy: "name the right file; never remove the journal of payments, it says what was paid",
  },
  CMD_NO_DEPLOYMENT: {
    meaning: "no devnet runs here, and no rollup was named",
    remedy: "run npm start first, or pass --rpc, --rollup and --sequencer",
  },
  CMD_ACCOUNT_INVALID: {
    meaning:
      "the command has no usable account: none is named, its name is unknown or taken, its file cannot be read, or none of its keys signs for the leaf; `data.reason`, `data.known`",
    remedy:
      "list your accounts with: openledger accounts list; make one with: openledger accounts create NAME; name it with --account or --key-file",
  },
  CMD_NO_MODEL_SERVER: {
    meaning: "no address of the model's server is known; pass `--server`",
    remedy: "pass --server URL, or start one with: openledger model serve",
  },
  CMD_VOID_DRAWS: {
    meaning:
      "drawn payments of a sealed epoch pay for receipts that the model's server cannot open; it does not burn their part by itself. `data.payments`, `data.burnedWei`",
    remedy:
      "bring the answers' folder back; if the server never gave these preconfirmations, start it with --consent-to-voids, or settle with: openledger model settle --account NAME",
  },
  CMD_NO_ETHER: {
    meaning:
      "the account has not the ether for a transaction on L1, with the bond or stake that it carries; nothing was sent. `data.account`, `data.balanceWei`, `data.valueWei`",
    remedy: "send ether to the account that the message names; a service tries again by itself",
  },
  CMD_L1_PENDING: {
    meaning:
      "L1 has not mined what the account sent before; a service sends nothing else meanwhile, so that it does nothing twice, and pays more for it. `data.account`, `data.nonce`, `data.count`",
    remedy:
      "wait: a service replaces it by a dearer one, and goes on. What another process has sent it replaces after five minutes, by one that does nothing",
  },
  CMD_L1_AT_CAP: {
    meaning:
      "L1 does not mine a transaction, and a dearer one would pay more than `--max-fee-gwei` or `--max-priority-fee-gwei`. `data.account`, `data.nonce`, `data.hashes`, `data.maxFeePerGasWei`",
    remedy:
      "wait until gas is cheaper, or start again with a higher --max-fee-gwei and --max-priority-fee-gwei",
  },
  CMD_NOT_CLAIMANT: {
    meaning:
      "the account does not claim the model's queries, or the model promises no claims. `data.claimant`, null for none",
    remedy: "use the account that the recipe names as its claimant; without one drop --claim",
  },
  CMD_CLAIM_IMPOSSIBLE: {
    meaning:
      "drawn receipts cannot be claimed from what the model's server keeps of them: no prompt, or another query than the trace's. `data.receipts`",
    remedy:
      "bring the answers' folder back, or claim with the prompt: openledger disputes claim-query; else the epoch goes by row counts, 14 days after its Seal",
  },
  CMD_FORCED_NO_EFFECT: {
    meaning:
      "a forced operation would change nothing on the ledger that L1 has, and its fee would be burned; nothing was sent. `data.reason` is one of leaf-unknown, leaf-waits (`data.queueIndex`), not-owner (`data.owner`), balance-too-low, payee-unknown, payee-owner, wrong-kind, model-not-ready, not-earner, nothing-to-collect, nothing-to-seal, no-effect",
    remedy:
      "see what is yours there: openledger exit --owner 0x… --dry-run; where what it needs is not posted yet, wait, or pass --unchecked",
  },
  CMD_ROLLUP_ENDS: {
    meaning:
      "the operator ends the rollup, or it is frozen: `openledger deposit` sends nothing into it; `data.mode`",
    remedy: "take out what is yours with: openledger withdraw all, or, once it is frozen, openledger exit",
  },
  CMD_DEPLOY_REFUSED: {
    meaning:
      "the deployment cannot be made as it is configured, and nothing was sent; `data.reason` is one of config-invalid, no-plain-batch, wrong-chain, development-keys, key-refused, token-unknown, no-ether, not-confirmed",
    remedy: "correct what the message names; docs/operating.md has an example, docs/keys.md the ceremony",
  },
  CMD_DEPLOY_FAILED: {
    meaning:
      "a deployment that was begun cannot go on: its journal is of another configuration, another transaction took a nonce, or one was reverted; `data.reason`",
    remedy:
      "put the configuration back to finish that one; else begin again in a new folder, and name a token that is there already as token.existing",
  },
  CMD_INIT_REFUSED: {
    meaning: "the installation cannot be written or checked as asked for; the message says why",
    remedy: "correct what the message names; name the installation's folder with --config",
  },
  CMD_PAYMENTS_UNCLEAR: {
    meaning:
      "the journal of the provers' payments and the ledger do not agree: a nonce was used otherwise, or the ledger has operations that the journal lacks. `data.transfers`, `data.missingNonces`",
    remedy:
      "put the newest journal back; else look at the worker's account, then say --paid HASH or --void HASH of each; pay from an account of its own",
  },
});

export const commandError = commandErrors.raise;
