/**
 * Model card of a registered model: Markdown with the YAML front matter that Hugging Face reads
 * (https://huggingface.co/docs/hub/model-cards). Sections follow its template; what neither ledger nor recipe shows says so.
 */
import { paymentShares } from "@openledger/circuits/settlement/settlement-split";
import { counted } from "@openledger/foundation/counted";
import type { Card } from "../card/card.ts";
import { licenceId } from "../terms/spdx-expression.ts";
import { document, field, plain, quote, table } from "./markdown.ts";
import { languagesOf, type ModelFacts, type RecipeFacts, type TrainedDatanet } from "./model-facts.ts";
import {
  agreementText,
  keysText,
  leafShare,
  NOT_KNOWN,
  partOf,
  placeText,
  reportsText,
  rowLicencesText,
  signedTermsText,
  timeText,
  WHOSE_WORD,
} from "./paper-words.ts";
import { type LeafRows, labelledCount } from "./version-facts.ts";

/** Contributors that a card lists; the others are counted. */
const MAX_LISTED = 50;

/** Writes the card's text. */
export function modelCardOf(model: ModelFacts): string {
  const { datanets, modelId, recipe } = model;
  return `${frontMatter(model)}${document([
    `# Model ${modelId}`,
    `A model of the OpenLedger rollup ${model.rollupAddress} on chain ${model.chainId}. Each line below follows from the ledger, from signed records, or from files that the ledger binds by their hash. ${WHOSE_WORD}`,
    "## Model details",
    field("Model", modelId),
    field("Owner", model.l1Owner),
    field("Statics hash", model.staticsHash),
    field("Replaces model", model.predecessorId ?? "none"),
    field("Kind", recipe === null ? NOT_KNOWN : recipe.family),
    field("Labels", labelsOf(recipe)),
    field(
      "Base model",
      recipe === null ? NOT_KNOWN : recipe.base === null ? "none" : plain(recipe.base.name),
    ),
    field("Languages", languagesOf(model).join(", ") || NOT_KNOWN),
    field("Licence of the model", recipe?.licence == null ? NOT_KNOWN : plain(recipe.licence)),
    field("Licence of the rows", licencesOf(datanets)),
    field("Registered", placeText(model.registered)),
    field("Activated", placeText(model.activated, "not yet")),
    field("Approved", approvedText(model)),
    "## Uses",
    field("Intended use", NOT_KNOWN),
    field("Uses out of scope", NOT_KNOWN),
    "## Bias, risks and limitations",
    ...datanets.flatMap((one) => biasLines(one, modelId)),
    field("Accuracy by group of people", NOT_KNOWN),
    "## Training data",
    field("Rows", model.rowCount),
    ...datanets.flatMap(datanetLines),
    ...paidLines(model),
    "## Training procedure",
    field("Recipe SHA-256", recipe?.sha256 ?? NOT_KNOWN),
    ...(recipe?.settings ?? []).map(({ name, value }) => field(`Recipe ${name}`, plain(value))),
    ...(recipe?.base?.files ?? []).map(({ name, sha256 }) => field(`Base file ${plain(name)}`, sha256)),
    field("Hardware, duration and energy", NOT_KNOWN),
    "## Evaluation",
    field(
      "Accuracy",
      `${NOT_KNOWN}; \`openledger verify model ${modelId}\` trains the model again and prints it`,
    ),
    "## Rewards",
    ...paymentShares(model).map(({ share, to }) => field(`Of a payment to ${to}`, share)),
    "## Recomputed by",
    ...recomputedLines(model),
  ])}`;
}

/**
 * Writes a JSON string that is a YAML string, too. YAML 1.1 and scripts end lines at U+0085, U+2028 and U+2029, where a tag could end
 * the head, and YAML has no control characters: all of them are escaped.
 */
const yamlText = (text: string): string =>
  JSON.stringify(text).replace(
    /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

/** Card's head. */
function frontMatter(model: ModelFacts): string {
  const { datanets, modelId, recipe } = model;
  const tags = new Set(["openledger", ...datanets.flatMap(({ described }) => described?.card.tags ?? [])]);
  const languages = languagesOf(model);
  const task = taskOf(recipe, datanets[0]?.described?.card);
  const base = recipe?.base?.name;
  const list = (values: readonly string[]) => values.map((value) => `- ${yamlText(value)}`);
  const listed = (name: string, values: readonly string[]) =>
    values.length === 0 ? [] : [`${name}:`, ...list(values)];
  return [
    "---",
    `model_name: ${JSON.stringify(`OpenLedger model ${modelId}`)}`,
    "library_name: openledger",
    ...licenceLines(recipe),
    ...listed("language", hubLanguages(languages)),
    ...listed(
      "language_bcp47",
      languages.filter((tag) => !HUB_LANGUAGE.test(tag)),
    ),
    ...(task === null ? [] : [`pipeline_tag: ${task}`]),
    ...(base !== undefined && HUB_NAME.test(base) ? [`base_model: ${JSON.stringify(base)}`] : []),
    "tags:",
    ...list([...tags]),
    "---",
    "",
    "",
  ].join("\n");
}

/** Code of ISO 639, the only thing that Hugging Face takes as `language`; other tags of BCP 47 are `language_bcp47`. */
const HUB_LANGUAGE = /^[a-z]{2,3}$/;

/** Codes of the languages of tags: "zh" of "zh-CN". */
const hubLanguages = (tags: readonly string[]): string[] => [
  ...new Set(tags.map((tag) => tag.split("-")[0]!.toLowerCase()).filter((code) => HUB_LANGUAGE.test(code))),
];

/** Licences that Hugging Face names as SPDX does, in lower case. */
const HUB_LICENCE = /^(CC0-1\.0|CC-BY(-NC)?(-SA)?-4\.0|MIT|Apache-2\.0)$/;

/** Licence in Hugging Face's words: "unknown" is one that nobody has named. */
function licenceLines(recipe: RecipeFacts | null): string[] {
  if (recipe?.licence == null) return ["license: unknown"];
  const licence = licenceId(recipe.licence);
  if (HUB_LICENCE.test(licence)) return [`license: ${licence.toLowerCase()}`];
  return ["license: other", `license_name: ${yamlText(licence)}`];
}

/** Name of a hub's model, without a revision. */
const HUB_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,95}\/[A-Za-z0-9][A-Za-z0-9._-]{0,95}$/;

/** Task by Hugging Face's names; null where the model's kind is not known. */
function taskOf(recipe: RecipeFacts | null, card: Card | undefined): string | null {
  if (recipe === null) return null;
  if (recipe.classes === null) return "text-generation";
  if (card === undefined) return null;
  const { kind } = card.row;
  return `${kind === "image" ? "image" : kind === "table" ? "tabular" : "text"}-classification`;
}

const labelsOf = (recipe: RecipeFacts | null): string =>
  recipe === null ? NOT_KNOWN : (recipe.classes?.map(plain).join(", ") ?? "none: it writes");

const licencesOf = (datanets: readonly TrainedDatanet[]): string =>
  datanets
    .map(
      ({ datanetId, described }) =>
        `Datanet ${datanetId}: ${described === null ? NOT_KNOWN : rowLicencesText(described, plain)}`,
    )
    .join("; ");

const approvedText = ({ unapproved }: ModelFacts): string =>
  unapproved.length === 0 ? "by all its Datanets" : `not by Datanet ${unapproved.join(", ")}`;

/** Contributors by the ledger, where a Datanet's own list is not known. */
function paidLines({ contributors, datanets }: ModelFacts): string[] {
  if (datanets.every(({ described }) => described !== null)) return [];
  const heading = "### Contributors by the ledger";
  return contributors.length === 0
    ? [heading, `${NOT_KNOWN}.`]
    : [heading, ...contributorTable(contributors)];
}

function contributorTable(contributors: readonly LeafRows[]): string[] {
  const more = contributors.slice(MAX_LISTED);
  return table(
    ["Contributor", "Rows"],
    [
      ...contributors.slice(0, MAX_LISTED).map(({ leafId, rowCount }) => [`leaf ${leafId}`, rowCount]),
      ...(more.length === 0
        ? []
        : [[counted(more.length, "other"), more.reduce((sum, { rowCount }) => sum + rowCount, 0)]]),
    ],
  );
}

function biasLines({ datanetId, described }: TrainedDatanet, ofModel: number): string[] {
  if (described === null) return [field(`Datanet ${datanetId}`, NOT_KNOWN)];
  const { card, facts } = described;
  const reports = facts.reports.filter(({ modelId }) => modelId === null || modelId === ofModel);
  const { contributors, flags, rowCount } = facts;
  const noted = Object.entries(flags).map(([flag, count]) => `${flag} ${count}`);
  return [
    ...(card.labels.length === 0
      ? []
      : [
          field(
            `Labels of Datanet ${datanetId}`,
            facts.labels
              .map((label) => `${plain(label.name)} ${partOf(label.rowCount, labelledCount(facts))}`)
              .join(", "),
          ),
          field(`Agreement in Datanet ${datanetId}`, agreementText(facts)),
        ]),
    field(`Most rows of one contributor in Datanet ${datanetId}`, leafShare(contributors, rowCount)),
    field(`Rows that labellers noted in Datanet ${datanetId}`, noted.join(", ")),
    field(`Signatures in Datanet ${datanetId}`, keysText(facts)),
    field(`Reports of bias of Datanet ${datanetId}`, reportsText(reports)),
  ];
}

function datanetLines({ datanetId, described, listed }: TrainedDatanet): string[] {
  const version = [
    `### Datanet ${datanetId}`,
    field("Version", listed?.version ?? NOT_KNOWN),
    field("Rows root", listed?.rowsRoot ?? NOT_KNOWN),
    field("Published", timeText(listed?.publishedAtMs)),
    field("Rows in the version", listed?.rowCount ?? NOT_KNOWN),
  ];
  if (described === null) return [...version, field("Name, host and licence", NOT_KNOWN)];
  const { card, croissant, facts, hostUrl, policy } = described;
  const { contributors, validators, withdrawnCount } = facts;
  return [
    ...version,
    field("Name", plain(card.name)),
    field("Host", plain(hostUrl)),
    field("Card hash", policy ?? NOT_KNOWN),
    field("Licence", `${plain(card.licence)} (card)`),
    field("Rows under terms that contributors have signed", signedTermsText(facts, plain)),
    field("Languages", card.languages.join(", ") || NOT_KNOWN),
    field("Rows withdrawn since", withdrawnCount),
    field("Contributors", contributors.length),
    field("Validators", validators.length),
    field("Described by", `\`${croissant}\``),
    "",
    ...quote(card.description),
    "",
    ...contributorTable(contributors),
  ];
}

function recomputedLines({ modelId, recomputations }: ModelFacts): string[] {
  if (recomputations.length === 0)
    return [`Nobody has signed that they did. Anyone can: \`openledger verify model ${modelId}\`.`];
  return table(
    ["Leaf", "Time", "Result, as the leaf says"],
    recomputations.map(({ atMs, isDifferent, leafId }) => [
      `leaf ${leafId}`,
      timeText(atMs),
      isDifferent ? "a difference" : "the same bytes",
    ]),
  );
}
