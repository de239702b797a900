/**
 * Check that a host's records are read in one place, `client/datanets/sound-records.ts`, by the keys that the ledger has. It finds what
 * another reader would need: the schema of signed records, the check of their signatures, a state of records, or the path of a list.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { listedFiles } from "@openledger/foundation/testing/listed-files";

const READER = "client/datanets/sound-records.ts";
/** Files of the host: it checks what comes to it (host/record-routes.ts), and reads its own database. */
const HOST = ["datanets/host/", "datanets/records/", "datanets/store/"];

interface Sign {
  readonly what: string;
  readonly pattern: RegExp;
  /** Files that may, with the reason. */
  readonly allowed: Readonly<Record<string, string>>;
}

const SIGNS: readonly Sign[] = [
  {
    what: "parses signed records",
    pattern: /\bsignedRecordSchema\b/,
    allowed: {
      "client/actions/data/stored-terms.ts": "reads back what this client has signed",
      "client/datanets/removal-certificate.ts": "reads a file, and compares each key itself",
    },
  },
  {
    what: "checks signatures of records",
    pattern: /\bcheckRecords\b/,
    allowed: {
      "client/datanets/removal-certificate.ts": "reads a file, and compares each key itself",
    },
  },
  { what: "folds records into a state", pattern: /\bnew RecordState\(/, allowed: {} },
  { what: "calls a record sound", pattern: /\bas (?:readonly )?SoundRecord\b/, allowed: {} },
  {
    what: "asks for a list of records",
    pattern:
      /\/v1\/datanets\/[^\s"'`]*\/(?:records|verified|withdrawals|terms|reports|earnings-consents|access)\b|\broute: "(?:records|verified|withdrawals|terms|reports|earnings-consents|access)"/,
    allowed: {
      "datanets/datanet-errors.ts": "words of an error",
      "client/datanets/bias-report.ts": "brings and reads texts of reports; the list by the reader",
      "client/datanets/earnings-board.ts": "by the reader",
      "client/datanets/sign-again.ts": "by the reader",
      "client/datanets/signed-records.ts": "brings records; the list by the reader",
      "client/datanets/signed-terms.ts": "by the reader",
      "client/datanets/verified-records.ts": "by the reader",
      "client/datanets/withdrawals.ts": "by the reader",
    },
  },
  {
    what: "calls the reader itself, not a list of records",
    pattern: /\breadSound(?:Records|Page)\b/,
    allowed: {
      "client/datanets/bias-report.ts": "list of reports",
      "client/datanets/earnings-board.ts": "list of consents",
      "client/datanets/sign-again.ts": "what of terms a former key has signed",
      "client/datanets/signed-records.ts": "list of records",
      "client/datanets/signed-terms.ts": "list of terms",
      "client/datanets/verified-records.ts": "list of recomputations",
      "client/datanets/withdrawals.ts": "list of withdrawals",
    },
  },
];

/** Says what a source does that the reader alone may do; `path` decides what is allowed. */
export function foreignReads(path: string, source: string): string[] {
  if (path === READER || HOST.some((folder) => path.startsWith(folder))) return [];
  return SIGNS.flatMap(({ allowed, pattern, what }) =>
    pattern.test(source) && !Object.hasOwn(allowed, path) ? [`${path} ${what}`] : [],
  );
}

/** Allowed files that do no more what they are allowed, or are gone. */
function staleAllowances(root: string): string[] {
  const files = new Set(listedFiles(root));
  return SIGNS.flatMap(({ allowed, pattern, what }) =>
    Object.keys(allowed).flatMap((path) =>
      files.has(path) && pattern.test(readFileSync(join(root, path), "utf8"))
        ? []
        : [`${path} is allowed, and no more ${what}`],
    ),
  );
}

/** Readers of a host's records beside the one, in all sources but tests; and allowances that nobody needs. */
export function otherReaders(root: string): string[] {
  const found = listedFiles(root)
    .filter((path) => /\.tsx?$/.test(path) && !/(^|\/)(build|testing)\/|\.test\.tsx?$/.test(path))
    .filter((path) => path !== "scripts/testing/record-readers.ts")
    .flatMap((path) => foreignReads(path, readFileSync(join(root, path), "utf8")));
  return [...found, ...staleAllowances(root)];
}
