/** Errors of the operator's commands: `deploy`, `operator init`, `doctor`. */
import { RollupError } from "@openledger/foundation/rollup-error";

export const operatorErrors = {
  CMD_DEPLOY_CONFIG_INVALID: {
    meaning: "the deployment's configuration cannot be read, or fields of it are wrong",
    remedy: "correct the fields that the message names; docs/operating.md has an example",
  },
  CMD_DEPLOY_WRONG_CHAIN: {
    meaning: "the Ethereum node is of another chain than the configuration names",
    remedy: "correct l1.rpcUrl or l1.chainId",
  },
  CMD_DEPLOY_DEVELOPMENT_KEYS: {
    meaning:
      "a development key was to be deployed on a chain other than 31337: anybody could forge its proofs",
    remedy: "make the keys by a ceremony (docs/keys.md)",
  },
  CMD_DEPLOY_NO_PLAIN_BATCH: {
    meaning: "every batch circuit stands in blobs, so nobody but the sequencer could post batches",
    remedy: "add a batch circuit without -blob to circuits; it may be a small one",
  },
  CMD_DEPLOY_KEY_REFUSED: {
    meaning: "a ceremony's key does not follow from its circuit, the powers of tau and enough contributions",
    remedy: "find out which file is wrong with: npm run ceremony -- verify",
  },
  CMD_DEPLOY_TOKEN_UNKNOWN: {
    meaning: "at the address of the existing token there is no OpenToken as this repository compiles it",
    remedy: "correct token.existing: the ledger's sums hold for that token alone",
  },
  CMD_DEPLOY_NO_ETHER: {
    meaning: "the deployer's account holds less ether than the deployment may cost",
    remedy: "send it as much as the message says, or lower maxFeeGwei",
  },
  CMD_DEPLOY_NOT_CONFIRMED: {
    meaning: "what was typed is not what was asked for; nothing was sent",
    remedy: "type the words exactly, or pass --yes",
  },
  CMD_DEPLOY_JOURNAL_DIFFERS: {
    meaning: "the folder holds a deployment that was begun with another configuration, or on another chain",
    remedy: "put the configuration back to finish that one, or name another folder with out",
  },
  CMD_DEPLOY_NONCE_TAKEN: {
    meaning: "another transaction of the deployer's account took the place of one of the deployment's",
    remedy:
      "use the account for nothing else; begin again in a new folder, and name a token that is there already as token.existing",
  },
  CMD_DEPLOY_REVERTED: {
    meaning: "a transaction of the deployment was mined and failed",
    remedy:
      "look at the transaction; begin again in a new folder, and name a token that is there already as token.existing",
  },
  CMD_INIT_FOLDER_TAKEN: {
    meaning: "the folder is not empty, and holds no installation",
    remedy: "name a folder that does not exist yet",
  },
  CMD_INIT_REFUSED: {
    meaning: "the installation cannot be written as asked for",
    remedy: "correct what the message names",
  },
  CMD_DOCTOR_NO_INSTALLATION: {
    meaning: "the folder holds no installation that openledger operator init has written",
    remedy: "name its folder with --config",
  },
  CMD_PAYMENTS_INVALID: {
    meaning: "a file of the provers' payments cannot be read, or another process pays by it now",
    remedy: "correct what the message names; never remove the journal, it says what was paid",
  },
  CMD_PAYMENTS_UNCLEAR: {
    meaning: "a payment's nonce was used, and the sequencer does not know the payment",
    remedy:
      "look at the worker's account, then say --paid HASH or --void HASH; pay from an account of its own",
  },
  CMD_PAYMENTS_UNKNOWN: {
    meaning:
      "the ledger has operations of the paying account that the journal of payments does not: it is an older copy, or a new one. Nothing was paid",
    remedy:
      "put the newest journal back; where it is lost, say --paid HASH of each transfer for proofs (the worker's oldest due proofs count as paid) and --void HASH of each other one; pay from an account of its own",
  },
} as const satisfies Record<string, { meaning: string; remedy: string }>;

export function operatorError(
  code: keyof typeof operatorErrors,
  message: string,
  details: { data?: object; cause?: unknown } = {},
): RollupError {
  return new RollupError(code, message, details);
}
