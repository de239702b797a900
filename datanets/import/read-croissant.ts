/**
 * Croissant files (https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html) that people bring beside their data: each file
 * that one names has to be there, with the SHA-256 that it names. Columns are read from the data itself.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { textOfFile } from "@openledger/foundation/utf8";
import { z } from "zod";
import { formatOf, type ImportFile } from "./import-file.ts";
import { type Refusal, refusalOf, unreadable } from "./refusal.ts";

/** A larger JSON file is data. */
const MAX_CROISSANT_BYTES = 4 * 2 ** 20;
const MAX_FILES = 1_000;
const VERSION = /^https?:\/\/mlcommons\.org\/croissant\/1\.\d+$/;

const conforms = z.union([z.string().transform((one) => [one]), z.array(z.string()).max(20)]);
/** Fields of a Croissant file that are read; all others only describe. */
const croissantSchema = z
  .object({
    conformsTo: conforms.optional(),
    "dct:conformsTo": conforms.optional(),
    name: z.string().min(1).max(500),
    distribution: z
      .array(
        z.object({
          "@type": z.string(),
          "@id": z.string().max(2_000).optional(),
          encodingFormat: z.unknown().optional(),
          contentUrl: z.string().min(1).max(2_000).optional(),
          // A hub has an address in its place.
          sha256: z.string().max(2_000).optional(),
          containedIn: z.unknown().optional(),
        }),
      )
      .min(1)
      .max(MAX_FILES),
  })
  .refine((file) =>
    [...(file.conformsTo ?? []), ...(file["dct:conformsTo"] ?? [])].some((one) => VERSION.test(one)),
  );

export interface DescribedFiles {
  /** Croissant files: no rows are read from them. */
  readonly croissants: ReadonlySet<ImportFile>;
  /** Croissant files, and files whose bytes are not those that one names, with the reason. */
  readonly refused: ReadonlyMap<ImportFile, Refusal>;
  readonly notices: readonly string[];
}

/** Finds the Croissant files among files, and compares those that they name. */
export function describedFiles(files: readonly ImportFile[]): DescribedFiles {
  // Attack: a Croissant file that names one large file many times.
  const digests = new Map<ImportFile, string>();
  const digestOf = (file: ImportFile) => {
    const digest = digests.get(file) ?? bytesToHex(sha256(file.content));
    digests.set(file, digest);
    return digest;
  };
  const croissants = new Set<ImportFile>();
  const refused = new Map<ImportFile, Refusal>();
  const notices: string[] = [];
  for (const file of files) {
    const parsed = parseCroissant(file);
    if (parsed === null) continue;
    croissants.add(file);
    const named: string[] = [];
    const compared = parsed.distribution.filter((entry) => !isOfRepository(entry, parsed.distribution));
    for (const entry of compared) {
      const position = { file: file.name, line: 0 };
      try {
        const data = fileOf(entry, file, files);
        if (digestOf(data) === entry.sha256!.toLowerCase()) named.push(data.name);
        else
          refused.set(
            data,
            refusalOf(
              unreadable({ file: data.name, line: 0 }, `its SHA-256 is not the one that ${file.name} names`),
              position,
            ),
          );
      } catch (error) {
        refused.set(file, refusalOf(error, position));
      }
    }
    if (compared.length === 0)
      notices.push(
        `${file.name}: Croissant file of "${parsed.name}", which names a repository and no file's SHA-256: nothing is compared`,
      );
    if (named.length > 0)
      notices.push(`${file.name}: Croissant file of "${parsed.name}"; ${named.join(", ")} has its SHA-256`);
  }
  return { croissants, refused, notices };
}

type Entry = z.output<typeof croissantSchema>["distribution"][number];

/** True for a repository, and for what is in one: a hub's Croissant file names no other. */
function isOfRepository({ containedIn, encodingFormat }: Entry, entries: readonly Entry[]): boolean {
  if (encodingFormat === "git+https") return true;
  const [container] = [containedIn].flat() as readonly ({ readonly "@id"?: unknown } | undefined)[];
  const id = container?.["@id"];
  return id !== undefined && entries.some((one) => one["@id"] === id && one.encodingFormat === "git+https");
}

const SHA256 = /^[0-9a-fA-F]{64}$/;

/** null for what is no Croissant file. */
function parseCroissant(file: ImportFile): z.output<typeof croissantSchema> | null {
  const { content, format, name } = file;
  if ((format ?? formatOf(name)) !== "json" || content.length > MAX_CROISSANT_BYTES) return null;
  try {
    const text = textOfFile(content);
    if (!text.includes("mlcommons.org/croissant")) return null;
    return croissantSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

/** The file that an entry names, beside the Croissant file. @throws DNT_FILE_UNREADABLE */
function fileOf(
  { "@type": type, containedIn, contentUrl, sha256: digest }: Entry,
  croissant: ImportFile,
  files: readonly ImportFile[],
): ImportFile {
  const position = { file: croissant.name, line: 0 };
  if (!/(^|[:/])FileObject$/.test(type) || containedIn !== undefined)
    throw unreadable(
      position,
      "it describes a set of files, or files in an archive: files by themselves are read",
    );
  const base = baseOf(contentUrl);
  if (base === null) throw unreadable(position, "a file of it has no contentUrl that ends in a name");
  if (digest === undefined || !SHA256.test(digest))
    throw unreadable(position, `it names no SHA-256 of ${base}`);
  const folder = croissant.name.replace(/[^/\\]*$/, "");
  const found = files.find(({ name }) => name === folder + base);
  if (found !== undefined) return found;
  throw unreadable(position, `its file ${base} is not among the files: bring both`);
}

/** Name at the end of an address; null for none. */
function baseOf(contentUrl: string | undefined): string | null {
  try {
    const base = decodeURIComponent(
      (contentUrl ?? "")
        .replace(/[?#].*$/, "")
        .split("/")
        .at(-1)!,
    );
    return base === "" || /[/\\]/.test(base) ? null : base;
  } catch {
    return null;
  }
}
