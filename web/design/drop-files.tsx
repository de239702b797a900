/** File input of the contribute tab and of the factory's form: files are dropped or chosen, and go to the caller as they are. */
import { useId, useState } from "preact/hooks";

interface DropFilesProps {
  readonly title: string;
  readonly help: string;
  readonly accept?: string;
  readonly isMany?: boolean;
  readonly onFiles: (files: readonly File[]) => void;
}

/** A place to drop files, or to choose them; then it names them. */
export function DropFiles({ accept, help, isMany = false, onFiles, title }: DropFilesProps) {
  const id = useId();
  const [isOver, setOver] = useState(false);
  const [names, setNames] = useState<readonly string[]>([]);
  const take = (list: FileList | null | undefined) => {
    const files = [...(list ?? [])].slice(0, isMany ? undefined : 1);
    if (files.length === 0) return;
    setNames(files.map(({ name }) => name));
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
        take(event.dataTransfer?.files);
      }}
    >
      <p>
        <strong>{title}</strong>
      </p>
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
      <p id={`${id}-names`} role="status" class="drop-names">
        {names.join(", ")}
      </p>
      <p id={`${id}-help`} class="soft small">
        {help}
      </p>
    </fieldset>
  );
}
