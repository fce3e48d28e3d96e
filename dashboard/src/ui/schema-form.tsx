// A form made from a JSON Schema, for the common parts of one: texts, numbers, switches, choices, and objects of these.
// All other parts are edited as JSON. The form changes a value without validating it; the workflow does that.
import { useState } from "react";
import { Choose, Field, Toggle } from "./controls.tsx";

type Value = Readonly<Record<string, unknown>>;

interface Property {
  readonly type?: unknown;
  readonly properties?: unknown;
  readonly required?: unknown;
  readonly enum?: unknown;
  readonly description?: unknown;
}

/** True if the schema has parts for a form. */
export function hasForm(schema: unknown): boolean {
  return propertiesOf(schema).length > 0;
}

export function isObject(value: unknown): value is Value {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function propertiesOf(schema: unknown): [name: string, property: Property][] {
  const { properties } = (schema ?? {}) as Property;
  if (!isObject(properties)) return [];
  return Object.entries(properties).map(([name, property]) => [name, isObject(property) ? property : {}]);
}

export function SchemaForm({
  schema,
  value,
  onChange,
}: {
  schema: unknown;
  value: Value;
  onChange: (value: Value) => void;
}) {
  const { required } = (schema ?? {}) as Property;
  return (
    <div className="flex flex-col gap-3">
      {propertiesOf(schema).map(([name, property]) => (
        <Part
          key={name}
          name={name}
          property={property}
          isRequired={Array.isArray(required) && required.includes(name)}
          value={value[name]}
          onChange={(part) => {
            const { [name]: _, ...rest } = value;
            onChange(part === undefined ? rest : { ...value, [name]: part });
          }}
        />
      ))}
    </div>
  );
}

interface PartProps {
  readonly name: string;
  readonly property: Property;
  readonly isRequired: boolean;
  readonly value: unknown;
  /** Undefined leaves the part out. */
  readonly onChange: (value: unknown) => void;
}

function Part({ name, property, isRequired, value, onChange }: PartProps) {
  const { type, description } = property;
  const label = isRequired ? name : `${name} (optional)`;
  const hint = typeof description === "string" ? { hint: description } : {};
  if (Array.isArray(property.enum) && property.enum.every((each) => typeof each === "string")) {
    const choices = property.enum.map((id: string) => ({ id, label: id }));
    return <Choose label={label} choices={choices} value={String(value ?? "")} onChange={onChange} />;
  }
  if (type === "boolean") return <Toggle label={label} value={value === true} onChange={onChange} />;
  if (type === "string" && (value === undefined || typeof value === "string")) {
    const left = isRequired ? "" : undefined;
    return (
      <Field label={label} {...hint} value={value ?? ""} onChange={(text) => onChange(text === "" ? left : text)} />
    );
  }
  if ((type === "number" || type === "integer") && (value === undefined || typeof value === "number")) {
    return <NumberField label={label} value={value} onChange={onChange} {...hint} />;
  }
  if (hasForm(property) && isObject(value ?? {})) {
    return (
      <fieldset className="rounded-md border border-line p-3">
        <legend className="px-1 font-medium">{label}</legend>
        <SchemaForm schema={property} value={isObject(value) ? value : {}} onChange={onChange} />
      </fieldset>
    );
  }
  return <JsonField label={label} value={value} onChange={onChange} />;
}

/** Keeps the typed text, since "1." is on its way to a number. */
function NumberField({
  value,
  onChange,
  ...rest
}: {
  label: string;
  hint?: string;
  value: number | undefined;
  onChange: (value: number | undefined) => void;
}) {
  const [typed, setTyped] = useState(value === undefined ? "" : String(value));
  return (
    <Field
      {...rest}
      type="number"
      value={typed}
      onChange={(text) => {
        setTyped(text);
        const number = Number(text);
        onChange(text === "" || Number.isNaN(number) ? undefined : number);
      }}
    />
  );
}

function JsonField({ label, value, onChange }: { label: string; value: unknown; onChange: (value: unknown) => void }) {
  const [typed, setTyped] = useState(() => (value === undefined ? "" : JSON.stringify(value, null, 2)));
  const [problem, setProblem] = useState("");
  return (
    <Field
      label={label}
      hint={problem || "JSON"}
      multiline
      rows={4}
      value={typed}
      onChange={(text) => {
        setTyped(text);
        try {
          onChange(text.trim() === "" ? undefined : (JSON.parse(text) as unknown));
          setProblem("");
        } catch {
          setProblem("Not valid JSON. The last valid value is kept.");
        }
      }}
    />
  );
}
