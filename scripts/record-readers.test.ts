import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { foreignReads, otherReaders } from "./testing/record-readers.ts";

it("nobody reads a host's records but by the keys that the ledger has", () => {
  expect(otherReaders(fileURLToPath(new URL("..", import.meta.url)))).toEqual([]);
});

it("another reader is found, by whatever it needs", () => {
  const path = "models/factory/store/dataset-versions.ts";
  const sources = [
    'import { type SignedRecord, signedRecordSchema } from "@openledger/datanets/records/record";',
    'import {\n  checkRecords,\n} from "@openledger/datanets/records/record";',
    "const state = new RecordState();",
    "const records = page.records as SoundRecord[];",
    "const records = page.records as readonly SoundRecord<Kind>[];",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the source of a reader
    "const path = `/v1/datanets/${datanetId}/records?limit=1000`;",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the source of a reader
    "askHost(client, hostUrl, { path: `/v1/datanets/${id}/withdrawals` }, schema);",
    'const list = { route: "terms", kind: "terms" } as const;',
    'import { readSoundRecords } from "@openledger/client/datanets/sound-records";',
  ];
  for (const source of sources) expect(foreignReads(path, source), source).toHaveLength(1);
  // The host checks what comes to it, and readers use lists that are checked.
  expect(foreignReads("datanets/store/take-records.ts", sources[2]!)).toEqual([]);
  const byList = 'import { readRecords } from "@openledger/client/datanets/signed-records";';
  expect(foreignReads(path, byList)).toEqual([]);
});
