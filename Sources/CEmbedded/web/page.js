"use strict";
// The page of `radish serve`: a chat over /v1/chat/completions, and a view of /server_info and /cache/tree.

const $ = (id) => document.getElementById(id);
const make = (name, className, text) => {
  const node = document.createElement(name);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
};
const headers = () => {
  const key = $("key").value.trim();
  return { "content-type": "application/json", ...(key ? { authorization: `Bearer ${key}` } : {}) };
};
const get = async (path) => {
  const response = await fetch(path, { headers: headers() });
  const body = await response.json();
  if (!response.ok) throw new Error(body.error?.message ?? `status ${response.status}`);
  return body;
};

// What was typed into the settings stays with the tab.
const kept = ["system", "temperature", "top_p", "top_k", "min_p", "max_tokens", "seed", "stops", "schema", "tools", "key"];
for (const id of kept) {
  const value = sessionStorage.getItem(id);
  if (value !== null) $(id).value = value;
  $(id).addEventListener("input", () => sessionStorage.setItem(id, $(id).value));
}

// Chat

let model = "default";
let conversation = [];
let running = null;

const connect = async () => {
  try {
    const card = (await get("/v1/models")).data[0];
    model = card.id;
    $("served").textContent = `${card.id}, context ${card.max_model_len.toLocaleString("en")} tokens`;
  } catch (error) {
    $("served").textContent = `${error.message}`;
    setTimeout(connect, 2000);
  }
};
connect();
$("key").addEventListener("change", connect);

const show = (role, text) => {
  const item = make("li", role);
  item.append(make("pre", "", text));
  $("messages").append(item);
  item.scrollIntoView({ block: "end" });
  return item;
};

const settings = () => {
  const body = {};
  for (const id of ["temperature", "top_p", "top_k", "min_p", "max_tokens", "seed"]) {
    if ($(id).value !== "") body[id] = Number($(id).value);
  }
  const stops = $("stops").value.split("\n").filter((line) => line !== "");
  if (stops.length) body.stop = stops;
  if ($("schema").value.trim()) {
    const schema = JSON.parse($("schema").value);
    body.response_format = { type: "json_schema", json_schema: { name: "answer", schema, strict: true } };
  }
  if ($("tools").value.trim()) body.tools = JSON.parse($("tools").value);
  return body;
};

// Calls the handler with each event of a stream of server-sent events.
const readEvents = async (response, handler) => {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) {
      if (line.startsWith("data: ") && line !== "data: [DONE]") handler(JSON.parse(line.slice(6)));
    }
  }
};

const ask = async () => {
  const text = $("input").value.trim();
  if (!text || running) return;
  let body;
  try {
    body = settings();
  } catch (error) {
    $("status").textContent = `The schema or the tools are no JSON: ${error.message}`;
    return;
  }
  $("input").value = "";
  conversation.push({ role: "user", content: text });
  show("user", text);
  const system = $("system").value.trim();
  const item = show("assistant", "");
  const thought = make("pre", "thought");
  item.prepend(thought);
  const answer = item.lastChild;
  const calls = [];
  const callText = make("code");
  running = new AbortController();
  $("send").disabled = true;
  $("stop").disabled = false;
  $("status").textContent = "…";
  const since = performance.now();
  let first = 0, usage = null, finish = "stopped";
  try {
    const response = await fetch("/v1/chat/completions", {
      method: "POST", headers: headers(), signal: running.signal,
      body: JSON.stringify({
        model, stream: true, stream_options: { include_usage: true },
        messages: [...(system ? [{ role: "system", content: system }] : []), ...conversation], ...body,
      }),
    });
    if (!response.ok) throw new Error((await response.json()).error.message);
    await readEvents(response, (event) => {
      if (event.error) throw new Error(event.error.message);
      usage = event.usage ?? usage;
      const choice = event.choices?.[0];
      if (!choice) return;
      finish = choice.finish_reason ?? finish;
      const { content, reasoning_content: reasoning, tool_calls: pieces } = choice.delta;
      if (!first && (content || reasoning || pieces)) first = performance.now();
      if (content) answer.textContent += content;
      if (reasoning) thought.textContent += reasoning;
      for (const piece of pieces ?? []) {
        calls[piece.index] ??= { id: piece.id, type: "function", function: { name: "", arguments: "" } };
        calls[piece.index].function.name += piece.function?.name ?? "";
        calls[piece.index].function.arguments += piece.function?.arguments ?? "";
        callText.textContent = calls.map((call) => `${call.function.name}(${call.function.arguments})`).join("\n");
        if (!callText.parentNode) item.append(callText);
      }
      item.scrollIntoView({ block: "end" });
    });
  } catch (error) {
    if (error.name !== "AbortError") {
      item.classList.add("error");
      answer.textContent += `${answer.textContent ? "\n" : ""}${error.message}`;
      finish = "error";
    }
  }
  running = null;
  $("send").disabled = false;
  $("stop").disabled = true;
  $("status").textContent = "";
  if (finish === "error") {
    conversation.pop();
  } else {
    conversation.push({
      role: "assistant", content: answer.textContent, ...(calls.length ? { tool_calls: calls } : {}),
    });
    // A call without an answer is no conversation: templates and models expect the result next.
    for (const call of calls) conversation.push({ role: "tool", tool_call_id: call.id, content: "no result" });
  }
  const facts = [finish];
  if (usage) {
    const cached = usage.prompt_tokens_details?.cached_tokens ?? 0;
    facts.push(`${usage.prompt_tokens} prompt tokens, ${cached} cached`, `${usage.completion_tokens} generated`);
    const seconds = (performance.now() - (first || since)) / 1000;
    if (first) facts.push(`first after ${Math.round(first - since)} ms`);
    if (usage.completion_tokens > 1) facts.push(`${((usage.completion_tokens - 1) / seconds).toFixed(1)} tokens/s`);
  }
  item.append(make("div", "facts", facts.join(" · ")));
  item.scrollIntoView({ block: "end" });
  $("input").focus();
};

$("compose").addEventListener("submit", (event) => {
  event.preventDefault();
  ask();
});
$("input").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    ask();
  }
});
const stop = () => running?.abort();
$("stop").addEventListener("click", stop);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") stop();
});
$("clear").addEventListener("click", () => {
  stop();
  conversation = [];
  $("messages").replaceChildren();
  $("input").focus();
});

// Tabs, with the arrow keys as screen readers expect them.

const tabs = ["chat", "cache"];
const select = (name, focuses) => {
  for (const each of tabs) {
    const isSelected = each === name;
    $(each).hidden = !isSelected;
    $(`tab-${each}`).setAttribute("aria-selected", String(isSelected));
    $(`tab-${each}`).tabIndex = isSelected ? 0 : -1;
  }
  if (focuses) $(`tab-${name}`).focus();
  location.hash = name === "chat" ? "" : name;
  if (name === "cache") look();
};
for (const name of tabs) {
  $(`tab-${name}`).addEventListener("click", () => select(name, false));
  $(`tab-${name}`).addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") select(name === "chat" ? "cache" : "chat", true);
  });
}

// Cache

const history = [];
let before = null;

const number = (value) => value.toLocaleString("en");
const share = (part, whole) => (whole ? `${((100 * part) / whole).toFixed(1)}%` : "–");
const span = (seconds) => (seconds < 60 ? `${Math.round(seconds)} s` : seconds < 3600 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`);

const showNumbers = (info) => {
  const { pages, requests, tokens } = info;
  const rows = [
    ["running", number(requests.running)], ["waiting", number(requests.waiting)],
    ["finished", number(requests.finished)], ["prompt tokens", number(tokens.prompt)],
    ["of them cached", share(tokens.cached_prompt, tokens.prompt)], ["generated", number(tokens.generated)],
    ["tree nodes", number(info.tree_nodes)], ["pages evicted", number(pages.evicted)],
  ];
  $("numbers").replaceChildren(...rows.map(([name, value]) => {
    const group = make("div");
    group.append(make("dt", "", name), make("dd", "", value));
    return group;
  }));
  const states = [["leased", "in use by requests"], ["cached", "cached"], ["free", "free"]];
  $("pages").replaceChildren(...states.map(([name]) => {
    const part = make("span");
    part.style.width = `${(100 * pages[name]) / pages.total}%`;
    part.style.background = `var(--${name})`;
    return part;
  }));
  $("legend").replaceChildren(...states.map(([name, text]) => {
    const entry = make("span");
    const mark = make("i");
    mark.style.background = `var(--${name})`;
    entry.append(mark, `${number(pages[name])} pages ${text}`);
    return entry;
  }));
  if (before) {
    const arrived = tokens.prompt - before.prompt;
    history.push(arrived > 0 ? (tokens.cached_prompt - before.cached_prompt) / arrived : null);
    if (history.length > 120) history.shift();
  }
  before = tokens;
  const bars = history.map((value, index) => {
    if (value === null) return "";
    const height = Math.max(2, 76 * value);
    return `<rect x="${index * 5}" y="${80 - height}" width="4" height="${height}" fill="var(--cached)"/>`;
  });
  $("history").innerHTML = bars.join("");
};

// Open requests first, then the latest; as many as fit above the tree.
const showRequests = ({ requests }) => {
  const open = requests.filter((request) => request.state !== "ended").length;
  $("requests").tBodies[0].replaceChildren(...requests.slice(0, 6).map((request) => {
    const row = make("tr", request.state === "ended" ? "" : "used");
    const name = make("td");
    name.append(make("span", "heat"), request.id);
    name.title = request.id;
    const known = request.prompt_tokens !== null;
    const bar = make("td", "wide");
    const part = make("span", "share");
    part.style.width = known ? `${(100 * request.cached_tokens) / request.prompt_tokens}%` : "0";
    bar.append(part);
    row.append(
      name, make("td", "", request.state), make("td", "spare", known ? number(request.prompt_tokens) : "–"),
      make("td", "", known ? share(request.cached_tokens, request.prompt_tokens) : "–"), bar);
    return row;
  }));
  $("requests-note").textContent = requests.length
    ? `${number(open)} open. The green part of a bar came from the cache.`
    : "Nobody has asked anything yet.";
};

const showTree = (tree) => {
  // The server lists by value; here what continues a prefix stands below it.
  const listed = new Set(tree.prefixes.map((prefix) => prefix.node));
  const below = new Map();
  for (const prefix of tree.prefixes) {
    const parent = listed.has(prefix.parent) ? prefix.parent : null;
    below.set(parent, [...(below.get(parent) ?? []), prefix]);
  }
  const ordered = [];
  const visit = (parent, depth) => {
    for (const prefix of below.get(parent) ?? []) {
      ordered.push([prefix, depth]);
      visit(prefix.node, depth + 1);
    }
  };
  visit(null, 0);
  $("tree").replaceChildren(...ordered.map(([prefix, depth]) => {
    const row = make("tr", prefix.in_use_by > 0 ? "used" : "");
    const name = make("td");
    name.style.paddingLeft = `${0.6 + depth}rem`;
    const heat = make("span", "heat");
    heat.style.opacity = String(Math.max(0.25, 1 - prefix.idle_seconds / 300));
    const words = `${prefix.begins}${prefix.ends ? ` … ${prefix.ends}` : ""}`.replace(/\s+/g, " ");
    name.append(heat, words);
    name.title = words;
    row.append(
      name, make("td", "", `${number(prefix.tokens)} of ${number(prefix.prefix_tokens)}`),
      make("td", "", number(prefix.hits)),
      make("td", "spare", `${number(prefix.saved_tokens)} tokens`),
      make("td", "spare", prefix.in_use_by ? String(prefix.in_use_by) : "–"),
      make("td", "spare", span(prefix.idle_seconds)));
    return row;
  }));
  $("tree-note").textContent = tree.prefixes.length
    ? `${tree.prefixes.length} of ${number(tree.nodes)} nodes. Red marks a prefix that a running request uses; pale ones are cold.`
    : "Nothing is cached yet. Ask something, and its prompt appears here.";
};

let looking = false;
const look = async () => {
  if (looking || $("cache").hidden || document.hidden) return;
  looking = true;
  try {
    showNumbers(await get("/server_info"));
    showRequests(await get("/cache/requests"));
    if ($("live").checked) showTree(await get(`/cache/tree?limit=60&order=${$("order").value}`));
  } catch (error) {
    $("tree-note").textContent = error.message;
  }
  looking = false;
};
$("order").addEventListener("change", look);
setInterval(look, 1000);
if (location.hash === "#cache") select("cache", false);
