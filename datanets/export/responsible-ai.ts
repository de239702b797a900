/**
 * Responsible-AI properties of a Croissant file: all of Croissant RAI 1.0
 * (https://docs.mlcommons.org/croissant/docs/croissant-rai-spec.html), each by the ledger's facts, or with the words that the ledger
 * does not know it.
 */
import { counted } from "@openledger/foundation/counted";
import type { Card } from "../card/card.ts";
import {
  agreementText,
  keysText,
  leafShare,
  NOT_KNOWN,
  partOf,
  reportsText,
  rowLicencesText,
  signedTermsText,
  termsText,
} from "../papers/paper-words.ts";
import { labelledCount, type VersionFacts } from "../papers/version-facts.ts";

export const RAI_CONFORMS_TO = "http://mlcommons.org/croissant/RAI/1.0";

interface Described {
  readonly card: Card;
  readonly datanetId: number;
  readonly facts: VersionFacts;
}

/** The properties by their names in the file. MANY of the specification is a list here, ONE a text. */
export function responsibleAiOf(described: Described): Readonly<Record<`rai:${string}`, string | string[]>> {
  const { card, datanetId, facts } = described;
  const { collected, flags, labelling, rowCount, withdrawnCount } = facts;
  return {
    "rai:dataCollection": `${counted(facts.contributors.length, "contributor")} committed the rows to Datanet ${datanetId}, each with a signature by their key; the ledger has the roots of the commits. How a contributor obtained a row: ${NOT_KNOWN}.`,
    "rai:dataCollectionType": ["Others: rows that people contribute to a Datanet"],
    "rai:dataCollectionMissingData": missingData(described),
    "rai:dataCollectionRawData": `Sources before a row was contributed: ${NOT_KNOWN}.`,
    ...(collected === null
      ? {}
      : {
          "rai:dataCollectionTimeframe": [collected.fromMs, collected.toMs].map((ms) =>
            new Date(ms).toISOString(),
          ),
        }),
    "rai:dataImputationProtocol": "None. A row is the bytes that its contributor committed.",
    "rai:dataManipulationProtocol": `None. The version's root binds the SHA-256 of each row. ${withdrawnCount === 0 ? "No row was withdrawn since." : `${counted(withdrawnCount, "row was", "rows were")} withdrawn by contributors since, and ${withdrawnCount === 1 ? "is" : "are"} not in the file.`}`,
    "rai:dataPreprocessingProtocol": preprocessing(described),
    "rai:dataAnnotationProtocol": annotationProtocol(card),
    "rai:dataAnnotationPlatform": ["OpenLedger Datanet host: each label is a record that its labeller signs"],
    "rai:dataAnnotationAnalysis": [agreementText(facts), keysText(facts)],
    "rai:annotationsPerItem": annotationsPerItem(described),
    "rai:annotatorDemographics": [
      `${counted(labelling.labellerCount, "account")} labelled rows of the version. Demographics: ${NOT_KNOWN}.`,
    ],
    "rai:machineAnnotationTools": machineTools(facts),
    "rai:dataReleaseMaintenancePlan": [
      `The Datanet's owner publishes versions by a signed operation of leaf ${datanetId}; a published version never changes. The next one leaves out rows that their contributors withdraw.`,
      `Contact: ${card.contact}`,
    ],
    "rai:personalSensitiveInformation": [
      `Labellers noted personal information in ${counted(flags.personal, "row")} of ${rowCount}. Personal information beyond that: ${NOT_KNOWN}.`,
    ],
    "rai:dataSocialImpact": `${NOT_KNOWN}.`,
    "rai:dataBiases": biases(described),
    "rai:dataLimitations": limitations(described),
    "rai:dataUseCases": [
      `Training of models that pay the contributors of rows. Licence: ${rowLicencesText(described)}. Uses that the owner advises against: ${NOT_KNOWN}.`,
      `Terms: ${termsText(card)}. Rows under terms that their contributors have signed: ${signedTermsText(facts)}.`,
      ...(card.terms?.file === undefined ? [] : [`Terms in words: ${card.terms.file.about}`]),
    ],
  };
}

function missingData({ card, facts }: Described): string {
  const { rowCount } = facts;
  const unlabelled = rowCount - labelledCount(facts);
  const texts = [
    ...(card.row.kind === "table" ? ["A field that a contributor left out has no value."] : []),
    ...(card.labels.length === 0
      ? ["The card has no labels."]
      : [
          `${counted(unlabelled, "row")} of ${rowCount} ${unlabelled === 1 ? "has" : "have"} no accepted label.`,
        ]),
  ];
  return texts.join(" ");
}

const NEAR_DUPLICATES: Readonly<Record<Card["rewards"]["nearDuplicates"], string>> = {
  "leave-out": "The card asks to leave out near-duplicates",
  share: "Near-duplicates stay and share one reward",
  keep: "Near-duplicates stay",
};

function preprocessing({ card: { rewards }, facts: { leftOut } }: Described): string[] {
  const { imageSimilarityPermille, nearDuplicates, textSimilarityPermille } = rewards;
  const total = leftOut.reduce((sum, { rowCount }) => sum + rowCount, 0);
  const reasons = leftOut.map(({ rowCount, why }) => `${why} ${rowCount}`).join(", ");
  return [
    `${NEAR_DUPLICATES[nearDuplicates]}: similarity from ${textSimilarityPermille} (texts) or ${imageSimilarityPermille} (pictures) of 1,000.`,
    total === 0
      ? "Reviewers left no row out by a signed record."
      : `Reviewers left ${counted(total, "row")} out by signed records: ${reasons}.`,
  ];
}

function annotationProtocol({ instructions, labelling, labels }: Card): string {
  if (labels.length === 0) return "The card has no labels: rows are not annotated.";
  const { accept, annotatorsPerRow, labellers } = labelling;
  const who = labellers === "anyone" ? "anyone with an account" : counted(labellers.length, "named account");
  const settles = accept === "all" ? "labels are all the same" : "more than half of its labels are the same";
  const names = labels.map(
    ({ description, name }) => `${name}${description === "" ? "" : ` (${description})`}`,
  );
  return `Labellers (${who}) choose one of: ${names.join("; ")}. A row needs ${counted(annotatorsPerRow, "label")} and is accepted once its ${settles}; a reviewer settles disputes.${instructions === "" ? "" : ` Instructions: ${instructions}`}`;
}

function annotationsPerItem({ card, facts: { labelling, rowCount } }: Described): string {
  if (card.labels.length === 0) return "0";
  const { labelCount, maxPerRow, minPerRow } = labelling;
  const mean = rowCount === 0 ? "0" : (labelCount / rowCount).toFixed(2);
  return `${minPerRow} to ${maxPerRow}, ${mean} on average; the card asks for ${card.labelling.annotatorsPerRow}`;
}

function machineTools({ labelling: { labelCount, suggestedCount, suggesters } }: VersionFacts): string[] {
  if (suggesters.length === 0) return ["No signed suggestion of a model for a row of the version."];
  return [
    ...suggesters,
    `Labellers saw a suggestion before ${suggestedCount} of ${counted(labelCount, "label")}.`,
  ];
}

function biases({ card, facts }: Described): string[] {
  const labelled = labelledCount(facts);
  const shares = facts.labels.map(({ name, rowCount }) => `${name} ${partOf(rowCount, labelled)}`);
  return [
    ...(card.labels.length === 0 ? [] : [`Accepted labels: ${shares.join(", ")}.`]),
    `Most rows of one contributor: ${leafShare(facts.contributors, facts.rowCount)}.`,
    ...(facts.reports.length === 0
      ? [`Biases of the rows' contents: ${NOT_KNOWN}.`]
      : [`Reports of bias by SHA-256, which the host of the Datanet has: ${reportsText(facts.reports)}.`]),
  ];
}

function limitations({ card, facts: { flags, rowCount } }: Described): string[] {
  const noted = Object.entries(flags)
    .filter(([flag, count]) => flag !== "personal" && count > 0)
    .map(([flag, count]) => `${flag} ${count}`);
  return [
    noted.length === 0
      ? "Labellers noted no row as unclear, offensive, broken, a copy, or in a wrong language."
      : `Labellers noted rows of ${rowCount} as: ${noted.join(", ")}.`,
    `Languages by the card: ${card.languages.length === 0 ? NOT_KNOWN : card.languages.join(", ")}.`,
    ...(card.access === "permissioned"
      ? ["Rows are permissioned: the Datanet's owner answers requests for access."]
      : []),
    `Whether the rows represent what they are about: ${NOT_KNOWN}.`,
  ];
}
