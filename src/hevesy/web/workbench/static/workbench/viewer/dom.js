// Elements, made without markup in strings: a strict content security policy has nothing to refuse.

/** An element with attributes, listeners (on…) and children (nodes or text). */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

let count = 0;
const fresh = () => `hv-${(count += 1)}`;

/** A labelled control: [label, control] in one span. */
export function labelled(text, control) {
  control.id = fresh();
  return make("span", { class: "hv-field" }, make("label", { for: control.id }, text), control);
}

export function select(options, chosen, change) {
  const element = make("select", { onchange: () => change(element.value) });
  for (const [value, text] of options) element.append(make("option", { value, selected: value === chosen }, text));
  return element;
}

export function number(value, { min, max, step = "any" }, change) {
  const element = make("input", { type: "number", min, max, step, value, onchange: () => element.value !== "" && change(Number(element.value)) });
  return element;
}

export function range(value, { min = 0, max = 1, step = 0.01 }, change) {
  const element = make("input", { type: "range", min, max, step, value, oninput: () => change(Number(element.value)) });
  return element;
}

export const button = (text, click, attributes = {}) => make("button", { type: "button", onclick: click, ...attributes }, text);
