/**
 * Data as people have it, in files: clauses in a semicolon CSV with quotes, a table with decimal commas, pictures in two folders,
 * questions with answers in JSON lines. Files are written here, or read where somebody has them.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { digitFile, PIXEL_COUNT } from "@openledger/attribution/testing/mnist-digits";

/** A row as its file has it: fields by name, a picture as its bytes. */
export type OwnFields = Readonly<Record<string, string | number | Buffer>>;

interface OwnRow {
  readonly fields: OwnFields;
  readonly label: string;
}

export interface OwnData {
  readonly name: string;
  /** Task of the form. */
  readonly task: string;
  readonly title: string;
  readonly description: string;
  /** Who labels a row, by the form: of a table its contributor alone, by the column that is to be predicted. */
  readonly labelledBy: "contributor" | "other" | "both";
  /** Labels that are typed into the form, where the file has none. */
  readonly typedLabels: readonly string[];
  readonly path: string;
  readonly isFolder: boolean;
  readonly rows: readonly OwnRow[];
}

/** Number of rows of each file that is written. */
const ROW_COUNT = 12;
const FILES = { clauses: "clauses.csv", customers: "customers.csv", pictures: "pictures", faq: "faq.jsonl" };
const KINDS = ["liability", "termination", "payment", "confidentiality"] as const;
const CITIES = ["Oslo", "Bergen", "Tromsø"] as const;
const THINGS = ["software", "licence", "lease"] as const;
const TEMPERATURES = ["cold", "warm"] as const;

/** No two are near each other: near-duplicates would be left out. */
const CLAUSES: Readonly<Record<(typeof KINDS)[number], (thing: string, n: number) => string>> = {
  liability: (thing, n) =>
    `Liability for the ${thing} is limited to ${n} euros, except for "gross negligence"; this holds for both.`,
  termination: (thing, n) => `This ${thing} ends after ${n} months;\nit is not renewed by silence.`,
  payment: (thing, n) => `Invoices of the ${thing} are due within ${n} days.`,
  confidentiality: (thing, n) => `What concerns the ${thing} stays secret for ${n} years, "even to us".`,
};

/** Field of a CSV, quoted where it has to be (RFC 4180). */
const quoted = (text: string) => (/[;"\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
const csvOf = (records: readonly (readonly string[])[]) =>
  records.map((record) => `${record.map(quoted).join(";")}\r\n`).join("");

/** Writes small files of each kind into a folder. */
export function writeOwnData(folder: string): void {
  const locations = Array.from({ length: ROW_COUNT }, (_, i) => i);
  const clauses = locations.map((i) => {
    const kind = KINDS[i % KINDS.length]!;
    return [CLAUSES[kind](THINGS[Math.floor(i / KINDS.length)]!, 5 + 7 * i), kind];
  });
  writeFileSync(join(folder, FILES.clauses), csvOf([["clause", "label"], ...clauses]));
  const customers = locations.map((i) => {
    const spend = (100 + 3.25 * i).toFixed(2).replace(".", ",");
    return [String(20 + i), CITIES[i % CITIES.length]!, spend, i % 2 === 0 ? "yes" : "no"];
  });
  writeFileSync(join(folder, FILES.customers), csvOf([["age", "city", "spend", "churned"], ...customers]));
  for (const name of TEMPERATURES) mkdirSync(join(folder, FILES.pictures, name), { recursive: true });
  for (const i of locations) {
    // Stripes of another width each, on dark or on light ground.
    const levels = Uint8Array.from({ length: PIXEL_COUNT }, (_, at) =>
      at % (i + 2) === 0 ? 128 : 255 * (i % 2),
    );
    const path = join(folder, FILES.pictures, TEMPERATURES[i % 2]!, `${String(i).padStart(2, "0")}.png`);
    writeFileSync(path, digitFile(levels));
  }
  const questions = locations.map((i) => ({
    question: `What is number ${i}, the “${THINGS[i % THINGS.length]}”?`,
    answer: `It is thing ${i};\n\tno other has "${i}".`,
  }));
  writeFileSync(join(folder, FILES.faq), questions.map((one) => `${JSON.stringify(one)}\n`).join(""));
}

/** Records of a semicolon CSV with a line of names: enough of RFC 4180 to read what is in the folder, and no product code. */
function readCsv(path: string): Record<string, string>[] {
  const records: string[][] = [[]];
  for (const [, inQuotes, bare, end] of readFileSync(path, "utf8").matchAll(
    /(?:"((?:[^"]|"")*)"|([^;\r\n]*))(;|\r?\n|$)/g,
  )) {
    records.at(-1)!.push(inQuotes?.replaceAll('""', '"') ?? bare!);
    if (end !== ";") records.push([]);
    if (end === "") break;
  }
  const [names, ...rest] = records.filter(({ length }) => length > 1);
  return rest.map((record) => Object.fromEntries(names!.map((name, i) => [name, record[i]!])));
}

/** The four Datanets that are made of a folder's files. */
export function readOwnData(folder: string): readonly OwnData[] {
  const at = (name: keyof typeof FILES) => join(folder, FILES[name]);
  const pictures = TEMPERATURES.flatMap((label) =>
    readdirSync(join(at("pictures"), label)).map((name) => ({
      fields: { image: readFileSync(join(at("pictures"), label, name)) },
      label,
    })),
  );
  return [
    {
      name: "clauses",
      task: "Classify texts",
      title: "Clauses of contracts",
      description: "Clauses, a row each, by what they settle.",
      labelledBy: "other",
      typedLabels: [],
      path: at("clauses"),
      isFolder: false,
      rows: readCsv(at("clauses")).map(({ clause, label }) => ({ fields: { text: clause! }, label: label! })),
    },
    {
      name: "customers",
      task: "Predict a column",
      title: "Customers who left",
      description: "Customers of a shop, and whether they left it.",
      labelledBy: "contributor",
      typedLabels: [],
      path: at("customers"),
      isFolder: false,
      rows: readCsv(at("customers")).map(({ age, churned, city, spend }) => ({
        fields: { age: Number(age), city: city!, spend: Number(spend!.replace(",", ".")) },
        label: churned!,
      })),
    },
    {
      name: "pictures",
      task: "Classify pictures",
      title: "Warm and cold",
      description: "Small pictures of warm and of cold colours.",
      labelledBy: "other",
      typedLabels: [],
      path: at("pictures"),
      isFolder: true,
      rows: pictures,
    },
    {
      name: "faq",
      task: "Answer questions",
      title: "Questions of our customers",
      description: "Questions, each with the answer that we give.",
      labelledBy: "both",
      typedLabels: ["right", "wrong"],
      path: at("faq"),
      isFolder: false,
      rows: readFileSync(at("faq"), "utf8")
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as { question: string; answer: string })
        .map(({ answer, question }, i) => ({
          fields: { prompt: question, answer },
          label: i % 5 === 0 ? "wrong" : "right",
        })),
    },
  ];
}
