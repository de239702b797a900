/** File input of the contribute tab and of the factory's form: files are dropped or chosen, and go to the caller as they are. */
import { useId, useState } from "preact/hooks";
import { droppedFiles } from "./dropped-files.ts";

interface DropFilesProps {
  readonly title: string;
  readonly help: string;
  readonly accept?: string;
  readonly isMany?: boolean;
  /** True if folders are taken, too: their files have their paths in `webkitRelativePath`. */
  readonly hasFolders?: boolean;
  readonly onFiles: (files: readonly File[]) => void;
}

/** Names that are shown one by one. */
const SHOWN_NAMES = 10;

/** A place to drop files, or to choose them; then it names them. */
export function DropFiles({
  accept,
  hasFolders = false,
  help,
  isMany = false,
  onFiles,
  title,
}: DropFilesProps) {
  const id = useId();
  const [isOver, setOver] = useState(false);
  const [names, setNames] = useState<readonly string[]>([]);
  const take = (list: Iterable<File> | null | undefined) => {
    const files = [...(list ?? [])].slice(0, isMany ? undefined : 1);
    if (files.length === 0) return;
    const shown = files.slice(0, SHOWN_NAMES).map(({ name }) => name);
    setNames(files.length > SHOWN_NAMES ? [...shown, `and ${files.length - SHOWN_NAMES} more`] : shown);
    onFiles(files);
  };
  return (
    <fieldset
      class={isOver ? "drop drop-over" : "drop"}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        if (event.dataTransfer !== null) void droppedFiles(event.dataTransfer).then(take);
      }}
    >
      <p>
        <strong>{title}</strong>
      </p>
      <p class="drop-choices">
        <input
          id={id}
          type="file"
          class="visually-hidden"
          accept={accept}
          multiple={isMany}
          aria-describedby={`${id}-names ${id}-help`}
          onChange={(event) => {
            take(event.currentTarget.files);
            // The same file again is a change, too.
            event.currentTarget.value = "";
          }}
        />
        <label for={id} class="button">
          {isMany ? "Choose files" : "Choose a file"}
        </label>
        {hasFolders && (
          <>
            <input
              id={`${id}-folder`}
              type="file"
              class="visually-hidden"
              ref={(input) => {
                if (input !== null) input.webkitdirectory = true;
              }}
              onChange={(event) => {
                take(event.currentTarget.files);
                event.currentTarget.value = "";
              }}
            />
            <label for={`${id}-folder`} class="button">
              Choose a folder
            </label>
          </>
        )}
      </p>
      <p id={`${id}-names`} role="status" class="drop-names">
        {names.join(", ")}
      </p>
      <p id={`${id}-help`} class="soft small">
        {help}
      </p>
    </fieldset>
  );
}
