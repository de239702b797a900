/**
 * Summary of a model's training content after the template that the European Commission's AI Office published in July 2025 for
 * Article 53(1)(d) of Regulation (EU) 2024/1689, with its sections and questions. Each answer names where it comes from, and what
 * neither ledger nor records show says so: the provider fills that in.
 */
import { counted } from "@openledger/foundation/counted";
import type { Card } from "../card/card.ts";
import { document, field, plain, table } from "./markdown.ts";
import { languagesOf, type ModelFacts, type TrainedDatanet } from "./model-facts.ts";
import {
  NOT_KNOWN,
  placeText,
  rowLicencesText,
  signedTermsText,
  termsText,
  timeText,
  WHOSE_WORD,
} from "./paper-words.ts";

type Described = NonNullable<TrainedDatanet["described"]>;
type Known = TrainedDatanet & {
  readonly described: Described;
  readonly listed: NonNullable<TrainedDatanet["listed"]>;
};

/** Bounds of the template's sizes. */
const BILLION = 1_000_000_000;
const MILLION = 1_000_000;

/** Writes the summary's text. */
export function trainingSummaryOf(model: ModelFacts): string {
  const { datanets, modelId } = model;
  const known = datanets.filter((one): one is Known => one.described !== null && one.listed !== null);
  const publicOnes = known.filter(({ described }) => described.card.access === "public");
  const privateOnes = known.filter(({ described }) => described.card.access === "permissioned");
  return document([
    `# Public summary of the training content of model ${modelId}`,
    `After the template of the AI Office for Article 53(1)(d) of Regulation (EU) 2024/1689. Answers come from the OpenLedger rollup, from its Datanets' cards and from signed records, as each names; the provider adds what is not known to the ledger. ${WHOSE_WORD}`,
    "",
    field("Version of the summary", `model ${modelId}, statics ${model.staticsHash}`),
    field("Last update", lastUpdate(model)),
    "## 1. General information",
    "### 1.1. Provider identification",
    field(
      "Provider name and contact details",
      `Ethereum account ${model.l1Owner} (ledger). Name: ${NOT_KNOWN}`,
    ),
    field("Authorised representative", NOT_KNOWN),
    "### 1.2. Model identification",
    field(
      "Versioned model names",
      `model ${modelId} of rollup ${model.rollupAddress} on chain ${model.chainId} (ledger)`,
    ),
    field("Model dependencies", dependencies(model)),
    field("Date of placement of the model on the Union market", NOT_KNOWN),
    field("Registered", `${placeText(model.registered)} (ledger)`),
    field("Payments for answers since", `${placeText(model.activated, "not yet")} (ledger)`),
    "### 1.3. Modalities, overall training data size and other characteristics",
    ...modalities(known),
    field("Latest date of data acquisition", latestAcquisition(known)),
    field(
      "Linguistic characteristics",
      languagesOf(model).length === 0 ? NOT_KNOWN : `${languagesOf(model).join(", ")} (cards)`,
    ),
    field(
      "Other characteristics",
      `${counted(model.rowCount, "row")} in ${counted(datanets.length, "Datanet")} (ledger)`,
    ),
    "## 2. List of data sources",
    "### 2.1. Publicly available datasets",
    field("Publicly available datasets used", publicAnswer(publicOnes, privateOnes)),
    ...(publicOnes.length === 0 ? [] : [field("Modalities", modalitiesOf(publicOnes))]),
    ...sources(publicOnes),
    ...datanets.filter(({ described }) => described === null).map(unhosted),
    "### 2.2. Private non-publicly available datasets obtained from third parties",
    "#### 2.2.1. Datasets commercially licensed by rightsholders or their representatives",
    field("Commercial licensing agreements concluded", NOT_KNOWN),
    "#### 2.2.2. Private datasets obtained from other third parties",
    field(
      "Private datasets obtained",
      privateOnes.length > 0 ? "Yes: permissioned Datanets (cards)" : NOT_KNOWN,
    ),
    ...(privateOnes.length === 0 ? [] : [field("Modalities", modalitiesOf(privateOnes))]),
    ...sources(privateOnes),
    "### 2.3. Data crawled and scraped from online sources",
    field(
      "Crawlers used by the provider or on its behalf",
      `${NOT_KNOWN}. Contributors commit rows themselves; the ledger has no crawler`,
    ),
    "### 2.4. User data",
    field(
      "Data from user interactions with the model used",
      `${NOT_KNOWN}. The ledger has only hashes of questions and answers`,
    ),
    field("Data from other services of the provider used", NOT_KNOWN),
    "### 2.5. Synthetic data",
    field("Synthetic data created by the provider or on its behalf used", NOT_KNOWN),
    ...known.map(({ datanetId, described }) =>
      field(`Labels after a model's suggestion in Datanet ${datanetId}`, suggestions(described)),
    ),
    "### 2.6. Other sources of data",
    field("Other sources used", otherSources(model)),
    "## 3. Data processing aspects",
    "### 3.1. Respect of reservation of rights from text and data mining exception or limitation",
    field("Signatory to the Code of Practice", NOT_KNOWN),
    field(
      "Measures before and during data collection",
      `${NOT_KNOWN}. By the ledger, each contributor signed for their rows`,
    ),
    ...known.flatMap(({ datanetId, described: { card, facts } }) => [
      field(`Licence of Datanet ${datanetId}`, `${plain(card.licence)} (card)`),
      field(`Terms of Datanet ${datanetId}`, `${termsText(card)} (card)`),
      ...(card.terms?.file === undefined
        ? []
        : [field(`Terms of Datanet ${datanetId} in words`, `${plain(card.terms.file.about)} (card)`)]),
      field(
        `Rows of Datanet ${datanetId} under terms that their contributors have signed`,
        `${signedTermsText(facts, plain)} (signed records)`,
      ),
      field(
        `Rows of Datanet ${datanetId} withdrawn by their contributors since`,
        `${facts.withdrawnCount} (signed records)`,
      ),
    ]),
    "### 3.2. Removal of illegal content",
    field(
      "Measures taken",
      `Labellers note rows, and reviewers leave rows out, by signed records. Other measures: ${NOT_KNOWN}`,
    ),
    ...known.flatMap(({ datanetId, described: { facts } }) => [
      field(`Rows left out of Datanet ${datanetId}`, leftOut(facts.leftOut)),
      field(
        `Rows noted in Datanet ${datanetId}`,
        `personal ${facts.flags.personal}, offensive ${facts.flags.offensive} (signed records)`,
      ),
    ]),
    "### 3.3. Other information",
    field("Contributors", known.map(contributorsText).join("; ") || paidText(model)),
    field("Recomputation", recomputation(model)),
  ]);
}

/** Newest time of what the summary says, by the ledger and by signed records. */
function lastUpdate({ activated, datanets, recomputations, registered }: ModelFacts): string {
  const times = [
    registered?.atMs ?? null,
    activated?.atMs ?? null,
    ...datanets.map(({ listed }) => listed?.publishedAtMs ?? null),
    ...recomputations.map(({ atMs }) => atMs),
  ].filter((ms) => ms !== null);
  return timeText(times.length === 0 ? null : Math.max(...times));
}

function dependencies({ recipe }: ModelFacts): string {
  if (recipe === null) return NOT_KNOWN;
  if (recipe.base === null) return "none: trained from its rows alone (recipe)";
  return `${plain(recipe.base.name)} (recipe, which names its files by SHA-256). Its own summary: ${NOT_KNOWN}`;
}

type Modality = "Text" | "Image" | "Other";
const modalityOf = ({ row }: Card): Modality =>
  row.kind === "image" ? "Image" : row.kind === "table" ? "Other" : "Text";

const modalitiesOf = (known: readonly Known[]): string =>
  [...new Set(known.map(({ described }) => modalityOf(described.card)))].join(", ");

const CONTENT: Readonly<Record<Card["row"]["kind"], string>> = {
  text: "short texts",
  passage: "passages, prompts with answers, or conversations",
  table: "rows of a table",
  image: "pictures",
};

/** The template's table. Audio and video are no kinds of rows. */
function modalities(known: readonly Known[]): string[] {
  const rows = (["Text", "Image", "Other"] as const).flatMap((modality) => {
    const of = known.filter(({ described }) => modalityOf(described.card) === modality);
    if (of.length === 0) return [];
    const contents = [
      ...new Set(of.map(({ described: { card } }) => `${CONTENT[card.row.kind]} about ${plain(card.field)}`)),
    ];
    return [[modality, sizeOf(modality, of), contents.join("; ")]];
  });
  if (rows.length === 0) return [field("Modalities", NOT_KNOWN)];
  return [...table(["Modality", "Training data size", "Types of content"], rows), ""];
}

/** The template's range, where the facts decide it. A token has at least one byte, so bytes bound tokens. */
function sizeOf(modality: Modality, known: readonly Known[]): string {
  const rowCount = known.reduce((sum, { described }) => sum + described.facts.rowCount, 0);
  const has = counted(rowCount, "row");
  if (modality === "Other") return has;
  if (modality === "Image") {
    if (rowCount < MILLION) return `Less than 1 million images (${has})`;
    return rowCount <= BILLION
      ? `1 million to 1 billion images (${has})`
      : `More than 1 billion images (${has})`;
  }
  const maxBytes = known.reduce(
    (sum, { described: { card, facts } }) => sum + facts.rowCount * card.row.maxBytes,
    0,
  );
  return maxBytes < BILLION
    ? `Less than 1 billion tokens (${has} of at most ${maxBytes} bytes)`
    : `Number of tokens: ${NOT_KNOWN.toLowerCase()} (${has} of at most ${maxBytes} bytes)`;
}

function latestAcquisition(known: readonly Known[]): string {
  const times = known.map(({ described }) => described.facts.collected?.toMs ?? null);
  if (times.length === 0 || times.includes(null)) return NOT_KNOWN;
  return `${timeText(Math.max(...times.map((ms) => ms!)))} (last commit before the version, by the sequencer)`;
}

/** Answer about public data. Contributors may have taken a permissioned Datanet's rows from public data all the same. */
function publicAnswer(publicOnes: readonly Known[], privateOnes: readonly Known[]): string {
  if (publicOnes.length > 0) return "Yes: public Datanets (cards)";
  return privateOnes.length > 0 ? `${NOT_KNOWN}. Access to its Datanets is permissioned (cards)` : NOT_KNOWN;
}

/** A Datanet whose card no host has. */
function unhosted({ datanetId, listed }: TrainedDatanet): string {
  const version =
    listed === null
      ? `version: ${NOT_KNOWN.toLowerCase()}`
      : `version ${listed.version} of ${timeText(listed.publishedAtMs)}, ${counted(listed.rowCount, "row")}, root ${listed.rowsRoot} (ledger)`;
  return field(`Datanet ${datanetId}`, `${version}. Access, licence and contents: ${NOT_KNOWN}`);
}

function sources(known: readonly Known[]): string[] {
  return known.flatMap(({ datanetId, described: { card, facts, hostUrl }, listed }) => {
    const { publishedAtMs, rowsRoot, version } = listed;
    return [
      field(
        `Datanet ${datanetId}`,
        `${plain(card.name)}, version ${version} of ${timeText(publishedAtMs)}, ${counted(facts.rowCount, "row")}, root ${rowsRoot}, licence ${rowLicencesText({ card, facts }, plain)}, at ${plain(hostUrl)}/v1/datanets/${datanetId}`,
      ),
    ];
  });
}

function suggestions({ facts: { labelling } }: Described): string {
  const { labelCount, suggestedCount, suggesters } = labelling;
  const by = suggesters.length === 0 ? "" : `, of ${suggesters.map(plain).join(", ")}`;
  return `${suggestedCount} of ${labelCount}${by} (signed records)`;
}

function otherSources({ recipe }: ModelFacts): string {
  if (recipe === null) return NOT_KNOWN;
  return recipe.base === null
    ? `None beside the rows (recipe). Where contributors took rows from: ${NOT_KNOWN}`
    : `Yes: the weights of ${plain(recipe.base.name)} (recipe). What it was trained on: ${NOT_KNOWN}`;
}

const leftOut = (reasons: Described["facts"]["leftOut"]): string =>
  `${reasons.length === 0 ? "none" : reasons.map(({ rowCount, why }) => `${why} ${rowCount}`).join(", ")} (signed records)`;

const contributorsText = ({ datanetId, described: { facts } }: Known): string =>
  `${counted(facts.contributors.length, "contributor")} and ${counted(facts.validators.length, "validator")} of Datanet ${datanetId} (ledger)`;

const paidText = ({ contributors }: ModelFacts): string =>
  contributors.length === 0 ? NOT_KNOWN : `${counted(contributors.length, "contributor")} (ledger)`;

function recomputation({ recomputations }: ModelFacts): string {
  const same = recomputations.filter(({ isDifferent }) => !isDifferent).length;
  const different = recomputations.length - same;
  return `${counted(same, "leaf", "leaves")} to the same bytes, ${different} with a difference (signed records)`;
}
