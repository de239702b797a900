/** Options that several commands have, each declared here once. */
import { defineOptions } from "./options.ts";
import { parseBlock, parseDepth, parsePort, parseVersionRoot } from "./parse-id.ts";

export const FROM_BLOCK_OPTION = defineOptions({
  "--from-block <number>": {
    about: "first L1 block to read; default: the block of the contract's deployment",
    parse: parseBlock,
  },
});
/** Default finality depth, in L1 blocks; equals the bridge's. */
const FINALITY_DEPTH_BLOCKS = 64;
export const FINALITY_OPTION = defineOptions({
  "--finality-depth <blocks>": {
    about: "L1 blocks after which a batch counts as final",
    fallback: FINALITY_DEPTH_BLOCKS,
    parse: parseDepth,
  },
});
export const SNAPSHOT_OPTION = defineOptions({
  "--snapshot <file>": "start from a snapshot file, if L1 has accepted its root",
});
export const SERVER_OPTION = defineOptions({
  "--server <url>": "URL of the model's server; default: the one known on this machine",
});
export const FOLDER_OPTION = defineOptions({
  "--folder <folder>": "folder with your copy of the model; default: downloaded from the server",
});
export const EPOCH_OPTION = defineOptions({
  "--epoch <number>": "number of the epoch; default: the one to be settled",
});
export const STORE_OPTION = defineOptions({ "--rows <folder>": "folder of the row store" });
export const VERSION_ROOT_OPTION = defineOptions({
  "--version-root <hex>": {
    about: "root of a version on the ledger, for another one than the published, or without a sequencer",
    parse: parseVersionRoot,
  },
});
export const CARD_OPTION = defineOptions({
  "--card <file>": "file with the Datanet's card: the form of its rows and their base pay",
});
export const LEAF_OPTION = defineOptions({
  "--leaf <leaf>": "leaf: an id, an account's name or an address; default: the account's",
});
export const OWNER_OPTION = defineOptions({
  "--owner <address>": "owner of the money, which also receives it; default: the account's address",
});
export const LISTEN_OPTIONS = defineOptions({
  "--host <address>": "address to listen on; default: this machine only",
  "--port <number>": { about: "port to listen on; 0 = any free port", parse: parsePort },
});
export const DATA_OPTION = defineOptions({
  "--data <folder>": "data directory: a sequencer's (SEQUENCER_DATA_PATH), or the new process's own",
});
export const OUT_FILE_OPTION = defineOptions({ "--out <file>": "output file" });
export const OUT_FOLDER_OPTION = defineOptions({ "--out <folder>": "new folder for the output" });
export const OPERATOR_KEY_OPTION = defineOptions({
  "--operator-key-file <file>": "file with the operator's L1 key, mode 0600",
});
export const THREADS_OPTION = defineOptions({
  "--threads <n>": "number of threads; the result does not depend on it",
});
export const TOKENS_OPTION = defineOptions({ "--tokens <n>": "maximum tokens of the answer" });
export const NOTE_OPTION = defineOptions({ "--note <text>": "public reason" });
export const FIRST_BALANCE_OPTION = defineOptions({
  "--amount <open>": { about: "its first balance in OPEN, which pays for its own operations", fallback: "1" },
});
export const DRY_RUN_OPTION = defineOptions({ "--dry-run": "print what would be done, and send nothing" });
export const DEPLOYMENT_OPTION = defineOptions({
  "--deployment <file>": "deployment record, as openledger deploy wrote it",
});
export const REGISTRY_OPTION = defineOptions({
  "--registry <address>": "address of the registry of rollups; default: the deployment record's",
});
export const VERSION_OPTION = defineOptions({
  "--version-number <n>": "number of the Datanet's version; default: the current one",
});
