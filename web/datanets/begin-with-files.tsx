/**
 * First step of a new Datanet for people who have its data: chosen files fill in what a row is, a table's fields and the labels.
 * The new-card page shows it, and carries the files to the contribute tab.
 */
import { useState } from "preact/hooks";
import { useAction } from "../bridge/use-action.ts";
import { DropFiles } from "../design/drop-files.tsx";
import { showCounted } from "../words/format.ts";
import { ProblemNotice } from "../words/problem.tsx";
import { type CardDraft, withProposal } from "./card-draft.ts";
import { TASKS } from "./card-tasks.ts";
import { chosenFormat, readChosen } from "./contribute/chosen-files.ts";
import { proposeFrom } from "./contribute/look-through.ts";

interface BeginWithFilesProps {
  readonly draft: CardDraft;
  readonly onDraft: (draft: CardDraft) => void;
  readonly onFiles: (files: readonly File[]) => void;
}

/** Files that begin a card. Nothing leaves the browser. */
export function BeginWithFiles({ draft, onDraft, onFiles }: BeginWithFilesProps) {
  const [found, setFound] = useState<string | null>(null);
  const { isBusy, problem, run } = useAction();
  const take = (files: readonly File[]) =>
    run(async () => {
      setFound(null);
      onFiles(files);
      const named = files.flatMap((file) => {
        const format = chosenFormat(file.name, true);
        return format === null ? [] : [{ file, format }];
      });
      if (named.length === 0)
        return setFound("Its ending does not say how to read it. Fill in the form, then choose its format.");
      const read = await readChosen(
        named.map(({ file }) => file),
        named.map(({ format }) => format),
      );
      const rowKind = draft.task === "" ? null : TASKS[draft.task].kind;
      const { proposal, refused, rowCount } = await proposeFrom({ files: read, rowKind });
      onDraft(withProposal(draft, proposal));
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
        title="Do you have the data? Begin with its files"
        help="What a row is, its fields and the labels are taken from them. They stay in this browser until you contribute them."
        isMany
        hasFolders
        onFiles={(files) => void take(files)}
      />
      {isBusy && <p role="status">Looking through the files …</p>}
      {found !== null && (
        <p class="small" role="status">
          {found}
        </p>
      )}
      {problem !== null && <ProblemNotice problem={problem} />}
    </section>
  );
}
