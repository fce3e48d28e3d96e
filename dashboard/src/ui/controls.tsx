// Buttons, fields, switches, choices and dialogs: react-aria's behaviour in the dashboard's look.
import { type ReactNode, type Ref, useState } from "react";
import {
  Button as AriaButton,
  type ButtonProps as AriaButtonProps,
  Dialog as AriaDialog,
  Select as AriaSelect,
  Switch as AriaSwitch,
  FieldError,
  Heading,
  Input,
  Label,
  ListBox,
  ListBoxItem,
  Modal,
  ModalOverlay,
  Popover,
  SelectValue,
  Text,
  TextArea,
  TextField,
  type TextFieldProps,
} from "react-aria-components";
import { ApiError } from "../api/client.ts";

const LOOKS = {
  primary: "bg-indigo-700 text-white hover:bg-indigo-800 border-transparent",
  plain: "bg-panel hover:bg-page border-line",
  danger: "bg-red-700 text-white hover:bg-red-800 border-transparent",
  quiet: "border-transparent hover:bg-line/60",
} as const;

export function Button({
  look = "plain",
  className = "",
  ...props
}: AriaButtonProps & { look?: keyof typeof LOOKS; className?: string; ref?: Ref<HTMLButtonElement> }) {
  return (
    <AriaButton
      {...props}
      className={`inline-flex min-h-8 items-center justify-center gap-1.5 rounded-md border px-3 py-1 font-medium whitespace-nowrap disabled:opacity-50 ${LOOKS[look]} ${className}`}
    />
  );
}

export function Field({
  label,
  hint,
  multiline = false,
  placeholder,
  rows = 8,
  ...props
}: TextFieldProps & { label: string; hint?: string; multiline?: boolean; placeholder?: string; rows?: number }) {
  const box = "w-full rounded-md border border-line bg-panel px-2.5 py-1.5 placeholder:text-soft";
  return (
    <TextField {...props} className="flex flex-col gap-1">
      <Label className="font-medium">{label}</Label>
      {multiline ? (
        <TextArea rows={rows} placeholder={placeholder} spellCheck={false} className={`${box} font-mono text-xs`} />
      ) : (
        <Input placeholder={placeholder} className={`${box} min-h-8`} />
      )}
      {hint && (
        <Text slot="description" className="text-xs text-soft">
          {hint}
        </Text>
      )}
      <FieldError className="text-xs text-red-700 dark:text-red-300" />
    </TextField>
  );
}

export interface Choice {
  readonly id: string;
  readonly label: string;
}

/** A choice of one. `label` is visible before it unless `hidden`, and always read out. */
export function Choose({
  label,
  choices,
  value,
  onChange,
  hidden = false,
  className = "",
}: {
  label: string;
  choices: readonly Choice[];
  value: string;
  onChange: (value: string) => void;
  hidden?: boolean;
  className?: string;
}) {
  return (
    <AriaSelect
      selectedKey={value}
      onSelectionChange={(key) => key !== null && onChange(String(key))}
      className={hidden ? "" : "flex flex-col gap-1"}
      {...(hidden && { "aria-label": label })}
    >
      {!hidden && <Label className="font-medium">{label}</Label>}
      <AriaButton
        className={`inline-flex min-h-8 max-w-full items-center justify-between gap-2 rounded-md border border-line bg-panel px-2.5 py-1 ${className}`}
      >
        <SelectValue className="truncate" />
        <span aria-hidden="true" className="text-soft">
          ▾
        </span>
      </AriaButton>
      <Popover className="max-h-80 min-w-(--trigger-width) overflow-auto rounded-md border border-line bg-panel p-1 shadow-lg">
        <ListBox items={choices} className="outline-none">
          {(choice: Choice) => (
            <ListBoxItem
              id={choice.id}
              textValue={choice.label}
              className="cursor-default rounded px-2 py-1.5 outline-none data-focused:bg-line data-selected:font-semibold"
            >
              {choice.label}
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </AriaSelect>
  );
}

export function Toggle({
  label,
  value,
  onChange,
  isDisabled = false,
  hidden = false,
}: {
  label: string;
  value: boolean;
  onChange: (value: boolean) => void;
  isDisabled?: boolean;
  hidden?: boolean;
}) {
  return (
    <AriaSwitch
      isSelected={value}
      onChange={onChange}
      isDisabled={isDisabled}
      className="group inline-flex items-center gap-2"
      {...(hidden && { "aria-label": label })}
    >
      <span className="flex h-5 w-9 shrink-0 items-center rounded-full bg-zinc-500 p-0.5 group-data-focus-visible:outline-2 group-data-selected:bg-emerald-700">
        <span className="size-4 rounded-full bg-white transition-transform group-data-selected:translate-x-4" />
      </span>
      {!hidden && label}
    </AriaSwitch>
  );
}

/** A dialog, open while it is rendered. `children` gets a function that closes it. */
export function Dialog({
  title,
  onClose,
  children,
}: {
  title: string;
  onClose: () => void;
  children: (close: () => void) => ReactNode;
}) {
  return (
    <ModalOverlay
      isOpen
      isDismissable
      onOpenChange={(open) => !open && onClose()}
      className="fixed inset-0 z-20 flex items-start justify-center overflow-auto bg-black/50 p-4 pt-[8vh]"
    >
      <Modal className="w-full max-w-lg rounded-lg border border-line bg-panel p-5 shadow-xl">
        <AriaDialog className="flex flex-col gap-4 outline-none">
          {({ close }) => (
            <>
              <Heading slot="title" className="text-lg font-semibold">
                {title}
              </Heading>
              {children(close)}
            </>
          )}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}

/** Asks before something that cannot be undone. */
export function Confirm({
  title,
  children,
  action,
  onConfirm,
  onClose,
}: {
  title: string;
  children: ReactNode;
  action: string;
  onConfirm: () => Promise<unknown>;
  onClose: () => void;
}) {
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  return (
    <Dialog title={title} onClose={onClose}>
      {(close) => (
        <>
          <div>{children}</div>
          <Problem error={error} />
          <div className="flex justify-end gap-2">
            <Button onPress={close}>Cancel</Button>
            <Button
              look="danger"
              isDisabled={busy}
              onPress={() => {
                setBusy(true);
                onConfirm().then(close, (reason: unknown) => {
                  setError(reason);
                  setBusy(false);
                });
              }}
            >
              {action}
            </Button>
          </div>
        </>
      )}
    </Dialog>
  );
}

/** An error in the router's words; nothing without one. */
export function Problem({ error }: { error: unknown }) {
  if (!error) return null;
  const fields = error instanceof ApiError ? error.fields : [];
  return (
    <div
      role="alert"
      className="rounded-md border border-red-700/40 bg-red-50 px-3 py-2 text-red-900 dark:bg-red-950/50 dark:text-red-200"
    >
      <p>{error instanceof Error ? error.message : "Something went wrong. Try again."}</p>
      {fields.length > 0 && (
        <ul className="mt-1 list-disc pl-5">
          {fields.map(({ path, message }) => (
            <li key={path + message}>
              <code>{path}</code>: {message}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

/** Copies a text, and fetches it first if needed. */
export function Copy({
  text,
  label = "Copy",
  name = label,
}: {
  text: string | (() => Promise<string>);
  label?: string;
  /** Read out in place of a label that is not clear by itself. */
  name?: string;
}) {
  const [said, setSaid] = useState<string | null>(null);
  return (
    <Button
      aria-label={name}
      onPress={async () => {
        try {
          await navigator.clipboard.writeText(typeof text === "string" ? text : await text());
          setSaid("Copied");
        } catch (error) {
          setSaid(error instanceof ApiError ? error.message : "Copy failed");
        }
        setTimeout(() => setSaid(null), 2_000);
      }}
    >
      <span aria-hidden="true">{said ?? label}</span>
      <span className="sr-only" aria-live="polite">
        {said ?? ""}
      </span>
    </Button>
  );
}
