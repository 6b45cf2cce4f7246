// The inbox, live and by keyboard. Everything it does can be done without it: it sends the same forms and shows the same
// pieces of page, as the server writes them. It never makes markup of its own.
"use strict";

(() => {
  const inbox = document.querySelector("[data-events]");
  const announcer = document.getElementById("announcer");
  const parser = new DOMParser();

  // How long after the list moved under the pointer a click is not taken for a decision, and how long after a decision
  // a key is not taken for the next one.
  const SETTLE_MS = 500;
  // So many settled requests stay where they were; then the oldest go.
  const SETTLED_KEPT = 20;

  function say(text) {
    // An emptied region is read out again even if the text is the same.
    announcer.textContent = "";
    setTimeout(() => { announcer.textContent = text; }, 20);
  }

  function parsed(html) {
    return parser.parseFromString(html, "text/html");
  }

  // ---- cards ----

  const cards = () => [...document.querySelectorAll(".request")];
  const isPending = (card) => card.dataset.status === "pending";
  const pending = () => cards().filter(isPending);
  const selected = () => document.activeElement?.closest?.(".request");

  function select(card) {
    card.focus({ preventScroll: true });
    const box = card.getBoundingClientRect();
    if (box.top < 0 || box.bottom > innerHeight) {
      card.scrollIntoView({ block: box.height > innerHeight ? "start" : "nearest" });
    }
  }

  function replace(card, next) {
    const hadFocus = card.contains(document.activeElement);
    // What stands below stays where it is.
    next.style.minHeight = `${card.offsetHeight}px`;
    card.replaceWith(next);
    if (hadFocus) next.focus({ preventScroll: true });
    trim();
    return next;
  }

  function trim() {
    const settled = cards().filter((card) => !isPending(card) && card.dataset.listed === "yes");
    settled.slice(0, Math.max(0, settled.length - SETTLED_KEPT)).forEach((card) => {
      if (!card.contains(document.activeElement)) card.remove();
    });
  }

  function problem(card, text) {
    let place = card.querySelector(".card-problem");
    if (!place) {
      place = document.createElement("p");
      place.className = "card-problem message wrong";
      place.setAttribute("role", "alert");
      card.append(place);
    }
    place.textContent = text;
  }

  // ---- deciding ----

  let decidedAt = -Infinity;

  async function decide(card, form, button) {
    if (card.getAttribute("aria-busy") === "true") return;
    card.setAttribute("aria-busy", "true");
    const body = new URLSearchParams(new FormData(form));
    body.set(button.name, button.value);
    try {
      const answer = await fetch(form.action, {
        method: "POST",
        body,
        headers: { "Grantd-Fragment": "card" },
        signal: AbortSignal.timeout(20000),
      });
      const next = parsed(await answer.text()).querySelector(".request");
      if (!next) {
        // Signed out, or something that only a whole page can say.
        if (answer.redirected) return location.reload();
        throw new Error(`status ${answer.status}`);
      }
      const wasSelected = card.contains(document.activeElement);
      const following = after(card);
      const shown = replace(card, document.adoptNode(next));
      if (isPending(shown)) return;
      say(shown.querySelector(".outcome")?.textContent.trim() ?? "Decided.");
      counted(pending().length);
      if (wasSelected && following) select(following);
    } catch {
      problem(card, "This could not be sent. Nothing may have been decided: try again.");
    } finally {
      card.removeAttribute("aria-busy");
    }
  }

  function after(card) {
    const all = cards();
    const at = all.indexOf(card);
    return all.slice(at + 1).find(isPending) ?? all.slice(0, at).findLast(isPending);
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    const card = form.closest(".request[data-listed=yes]");
    if (!card || !event.submitter?.name) return;
    event.preventDefault();
    if (performance.now() - Number(card.dataset.movedAt ?? -Infinity) < SETTLE_MS && !byKey) {
      say("The list has just moved. Look again.");
      return;
    }
    decide(card, form, event.submitter);
  });

  // ---- the keyboard ----

  let byKey = false;

  function press(card, verdict) {
    if (performance.now() - decidedAt < SETTLE_MS) return;
    if (!card) {
      const first = pending()[0];
      if (first) {
        select(first);
        say("The first request is selected. Press the key again to decide it.");
      }
      return;
    }
    if (!isPending(card)) return say("This is already settled.");
    const button = card.querySelector(`button[value=${verdict}]`);
    if (!button) {
      const all = card.querySelector("a.more");
      if (all && verdict === "grant" && card.dataset.whole === "no") return all.click();
      return say("You cannot decide this one.");
    }
    decidedAt = performance.now();
    byKey = true;
    button.form.requestSubmit(button);
    byKey = false;
  }

  function move(by) {
    const all = cards();
    const at = all.indexOf(selected());
    const next = at < 0 ? pending()[0] ?? all[0] : all[at + by];
    if (next) select(next);
  }

  const help = document.getElementById("keys");

  const keys = {
    j: () => move(1),
    k: () => move(-1),
    // On a page of one request these scroll.
    ...(inbox && { ArrowDown: () => move(1), ArrowUp: () => move(-1) }),
    g: (card) => press(card, "grant"),
    d: (card) => press(card, "deny"),
    r: (card) => card?.querySelector("input[name=reason]")?.focus(),
    o: (card) => card?.querySelector("a.more")?.click(),
    m: (card) => (card?.querySelector("a.rule") ?? document.querySelector("summary.rule"))?.click(),
    "?": () => { if (help) { help.open = !help.open; } },
  };

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && event.target.matches("input, textarea, select")) {
      const card = event.target.closest(".request");
      if (card) select(card);
      return;
    }
    if (event.repeat || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.matches("input, textarea, select")) return;
    const act = Object.hasOwn(keys, event.key) && keys[event.key];
    if (!act) return;
    event.preventDefault();
    // On the page of one request there is no other that could be meant.
    act(selected() ?? (inbox ? null : document.querySelector(".request")));
  });

  // ---- what is left of the time ----

  function left(until) {
    const seconds = Math.ceil((until - Date.now() - skew) / 1000);
    if (seconds <= 0) return "time is up";
    if (seconds < 60) return `${seconds} s left`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s left`;
    if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min left`;
    return `${Math.floor(seconds / 86400)} d ${Math.floor((seconds % 86400) / 3600)} h left`;
  }

  // How far the server's clock is ahead of this one.
  let skew = 0;

  function tick() {
    for (const time of document.querySelectorAll("time[data-until]")) {
      const text = left(Number(time.dataset.until));
      if (time.textContent !== text) time.textContent = text;
      time.classList.toggle("soon", Number(time.dataset.until) - Date.now() - skew < 30000);
    }
  }

  const clock = document.querySelector("[data-now]");
  if (clock) skew = Number(clock.dataset.now) - Date.now();
  tick();
  setInterval(tick, 1000);

  if (!inbox) return;

  // ---- live ----

  const list = document.getElementById("list");
  const empty = document.getElementById("empty");
  const more = document.getElementById("not-listed");
  const live = document.getElementById("live");
  const title = document.title;

  function counted(count) {
    document.title = count ? `(${count}) ${title.replace(/^\(\d+\) /, "")}` : title.replace(/^\(\d+\) /, "");
    const place = document.getElementById("count");
    if (place) place.textContent = count ? String(count) : "";
    empty.hidden = count > 0;
  }

  function show(fragment) {
    const before = new Map(pending().map((card) => [card, card.getBoundingClientRect().top]));
    const listed = new Set();
    const fresh = [];
    let last = null;
    for (const group of fragment.querySelectorAll(".group")) {
      let place = document.getElementById(group.id);
      const theirs = [...group.querySelectorAll(".request")];
      if (!place) {
        place = document.importNode(group, true);
        place.querySelectorAll(".request").forEach((card) => card.remove());
        if (last) last.after(place); else list.prepend(place);
      }
      last = place;
      for (const card of theirs) {
        listed.add(card.id);
        if (document.getElementById(card.id)) continue;
        const added = document.importNode(card, true);
        place.append(added);
        fresh.push(added);
      }
    }
    for (const card of before.keys()) {
      if (!listed.has(card.id) && card.getAttribute("aria-busy") !== "true") settle(card);
    }
    const now = performance.now();
    for (const [card, top] of before) {
      if (card.isConnected && Math.abs(card.getBoundingClientRect().top - top) > 2) card.dataset.movedAt = now;
    }
    for (const group of list.querySelectorAll(".group")) {
      if (!group.querySelector(".request") && !fragment.getElementById(group.id)) group.remove();
    }
    const root = fragment.getElementById("list");
    counted(Number(root?.dataset.pending ?? listed.size));
    const theirMore = fragment.getElementById("not-listed");
    if (more && theirMore) { more.textContent = theirMore.textContent; more.hidden = theirMore.hidden; }
    tick();
    if (fresh.length) {
      const what = fresh[0].querySelector(".tool")?.textContent.trim() ?? "";
      say(fresh.length === 1 ? `New request: ${what}` : `${fresh.length} new requests`);
    }
  }

  // A request that is no longer pending, and not by this page: what became of it.
  async function settle(card) {
    card.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(card.dataset.card, { signal: AbortSignal.timeout(20000) });
      const next = parsed(await answer.text()).querySelector(".request");
      if (next && card.isConnected) replace(card, document.adoptNode(next));
      else if (!next) card.remove();
    } catch {
      card.removeAttribute("aria-busy");
    }
  }

  function state(word, text) {
    live.hidden = false;
    document.getElementById("refresh").hidden = true;
    live.dataset.state = word;
    live.textContent = text;
  }

  let source;
  let refused = 0;

  function listen() {
    source = new EventSource(inbox.dataset.events);
    source.addEventListener("open", () => { refused = 0; state("live", "Live"); });
    source.addEventListener("list", (event) => show(parsed(event.data)));
    // The session is over, or its approver rights are.
    source.addEventListener("over", () => { source.close(); location.reload(); });
    source.addEventListener("error", () => {
      state("waiting", "Connecting again…");
      // A server that is away is tried again by the browser itself; one that will not have us is asked for the page.
      if (source.readyState !== EventSource.CLOSED) return;
      refused += 1;
      setTimeout(refused > 1 ? () => location.reload() : listen, 3000);
    });
  }

  addEventListener("pagehide", () => source?.close());
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  counted(Number(list.dataset.pending));
  listen();
  if (document.activeElement === document.body) {
    const first = pending()[0];
    if (first) select(first);
  }
})();
