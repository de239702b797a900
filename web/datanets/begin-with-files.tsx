/**
 * First step of a new Datanet for people who have its data: chosen files fill in what a row is, a table's fields and the labels.
 * The new-card page shows it, and carries the files to the contribute tab.
 */
import { formatOf } from "@openledger/datanets/import/import-file";
import { type CardProposal, withTarget } from "@openledger/datanets/import/propose-card";
import { useState } from "preact/hooks";
import { Choice } from "../design/choice.tsx";
import { DropFiles } from "../design/drop-files.tsx";
import { useAction } from "../ledger/use-action.ts";
import { useLatest } from "../ledger/use-latest.ts";
import { showCounted } from "../words/format.ts";
import { ProblemNotice } from "../words/problem.tsx";
import { type CardDraft, keepTyped, withProposal, withTargetOf } from "./card-draft.ts";
import { TASKS } from "./card-tasks.ts";
import { type ChosenFiles, readChosen } from "./contribute/chosen-files.ts";
import { DecisionList } from "./contribute/decision-list.tsx";
import { proposeFrom } from "./contribute/scan-rows.ts";

interface BeginWithFilesProps {
  readonly draft: CardDraft;
  readonly onDraft: (change: (draft: CardDraft) => CardDraft) => void;
  /** Takes the files, with what their owner has chosen; `isOpen` while a reading of them has to be chosen. */
  readonly onFiles: (chosen: ChosenFiles & { readonly isOpen: boolean }) => void;
}

/** Files that begin a card. Nothing leaves the browser. */
export function BeginWithFiles({ draft, onDraft, onFiles }: BeginWithFilesProps) {
  const [found, setFound] = useState<string | null>(null);
  const [proposal, setProposal] = useState<CardProposal | null>(null);
  const [chosen, setChosen] = useState<ChosenFiles>({ files: [], choices: {} });
  const { isBusy, problem, run } = useAction();
  const begin = useLatest();
  /** @param before proposal that these choices change; null for other files */
  const take = ({ choices, files }: ChosenFiles, before: CardProposal | null) =>
    run(async () => {
      const isLatest = begin();
      const begun = draft;
      setFound(null);
      setProposal(before);
      setChosen({ choices, files });
      onFiles({ choices, files, isOpen: true });
      const named = files.filter(({ name }) => formatOf(name) !== null);
      if (named.length === 0) {
        onFiles({ choices, files, isOpen: false });
        return setFound("Its file extension is unknown. Fill in the form, then choose its format.");
      }
      const read = await readChosen(named);
      const rowKind = draft.task === "" || before !== null ? null : TASKS[draft.task].kind;
      const proposing = proposeFrom({ files: read, rowKind, choices });
      // Files that cannot be read ask nothing: the form can be filled in without them.
      proposing.catch(() => isLatest() && onFiles({ choices, files, isOpen: false }));
      const { proposal, refused, rowCount } = await proposing;
      // Other files were chosen while these were read.
      if (!isLatest()) return;
      onFiles({ choices, files, isOpen: proposal.decisions.some(({ isOpen }) => isOpen) });
      onDraft((now) => keepTyped(withProposal(now, proposal), now, begun));
      setProposal(proposal);
      const filled = [
        ...(proposal.fields.length > 0 ? [showCounted(proposal.fields.length, "field")] : []),
        ...(proposal.labels.length > 0 ? [showCounted(proposal.labels.length, "label")] : []),
      ];
      const refusals = refused.length === 0 ? "" : `, ${showCounted(refused.length, "place")} unreadable`;
      const below = filled.length === 0 ? "Name it below" : `${filled.join(" and ")} are filled in below`;
      setFound(
        `${showCounted(rowCount, "row")}${refusals}. ${below}. You contribute the rows after the Datanet is open.`,
      );
    });
  return (
    <section class="card stack" aria-label="Begin with your files">
      <DropFiles
        title="Already have data? Start with your files"
        help="The kind of row, its fields and the labels are read from the files. The files stay in this browser until you contribute them."
        isMany
        hasFolders
        onFiles={(files) => void take({ files, choices: {} }, null)}
      />
      {isBusy && <p role="status">Reading the files …</p>}
      {found !== null && (
        <p class="small" role="status">
          {found}
        </p>
      )}
      {proposal !== null && (
        <DecisionList
          decisions={proposal.decisions}
          choices={chosen.choices}
          onChoose={(choices) => void take({ ...chosen, choices }, proposal)}
        />
      )}
      {proposal !== null && proposal.targets.length > 0 && draft.kind === "table" && (
        <Choice
          label="Column to predict"
          value={proposal.target ?? ""}
          help="Its values become the labels. The other columns become the fields of a row."
          onChoose={(name) => {
            const next = withTarget(proposal, name === "" ? null : name);
            setProposal(next);
            onDraft((now) => withTargetOf(now, next));
          }}
          options={[
            ...proposal.targets.map(({ labels, name }) => ({ name, label: sayTarget(name, labels) })),
            { name: "", label: "none: people label the rows" },
          ]}
        />
      )}
      {problem !== null && <ProblemNotice problem={problem} />}
    </section>
  );
}

/** Labels of a column that its choice names. */
const NAMED_LABELS = 4;
const sayTarget = (name: string, labels: readonly string[]) =>
  `${name}: ${labels.slice(0, NAMED_LABELS).join(", ")}${labels.length > NAMED_LABELS ? " …" : ""}`;
