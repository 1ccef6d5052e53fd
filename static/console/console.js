// The console's small script: palette, keyboard, drawer, selection, scan box.
// Every page works without it; nothing is evaluated and nothing comes from elsewhere.
(() => {
  "use strict";
  const one = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const announce = (text) => { const box = one("#announce"); if (box) box.textContent = text; };
  const keysOff = () => document.documentElement.dataset.keys === "off";

  /* ---- tabs: on a phone they scroll; the one that is open is in sight ---- */
  all("nav.tabs [aria-current]").forEach((tab) => {
    const bar = tab.closest("nav.tabs");
    bar.scrollLeft = tab.offsetLeft - bar.offsetLeft - 24;
  });

  /* ---- forms: a second click does nothing (the server refuses it as well) ---- */
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || form.hasAttribute("data-scan-form")) return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "yes";
    setTimeout(() => all("button[type=submit], button:not([type])", form).forEach((button) => {
      button.disabled = true;
      button.setAttribute("aria-busy", "true");
    }), 0);
  });
  const wake = (within = document) => all("form[data-sent]", within).forEach((form) => {
    delete form.dataset.sent;
    all("button[aria-busy]", form).forEach((button) => {
      button.disabled = false;
      button.removeAttribute("aria-busy");
    });
  });
  window.addEventListener("pageshow", () => wake());
  document.body.addEventListener("htmx:afterRequest", () => wake());

  /* ---- menu on narrow screens ---- */
  const menu = one("#menu-button");
  menu?.addEventListener("click", () => {
    const shown = one("#rail").classList.toggle("shown");
    menu.setAttribute("aria-expanded", String(shown));
  });
  document.addEventListener("click", (event) => {
    all("details.me[open], details.menu-list[open]").forEach((details) => {
      if (!details.contains(event.target)) details.open = false;
    });
  });

  /* ---- drawer: what htmx loads into it opens it; what takes long says so ---- */
  const drawer = one("#drawer");
  let waiting = 0;
  document.body.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.target.id !== "drawer-content" || !drawer || drawer.open) return;
    waiting = setTimeout(() => {
      const note = document.createElement("p");
      note.className = "drawer-body muted";
      note.setAttribute("role", "status");
      note.textContent = "Reading…";
      one("#drawer-content").replaceChildren(note);
      drawer.showModal();
    }, 200);
  });
  document.body.addEventListener("htmx:afterRequest", () => clearTimeout(waiting));
  document.body.addEventListener("htmx:responseError", (event) => {
    if (event.detail.xhr.status < 500) return;
    if (drawer?.open) drawer.close();
    announce("The server did not answer. Nothing was changed; try again.");
  });
  document.body.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id === "drawer-content" && drawer) {
      if (!drawer.open) drawer.showModal();
      drawer.scrollTop = 0;
      const first = one("[autofocus], .errorlist + input, input:not([type=hidden]), select, textarea", drawer);
      (first || one(".close", drawer))?.focus();
    }
    const said = event.detail.target.querySelector?.("[data-announce]");
    if (said) announce(said.dataset.announce);
  });
  document.addEventListener("click", (event) => {
    const closer = event.target.closest("[data-close]");
    if (closer) { event.preventDefault(); closer.closest("dialog").close(); }
    if (event.target instanceof HTMLDialogElement) event.target.close();
  });

  all("[data-help]").forEach((button) => button.addEventListener("click", () => one("#keyboard-help").showModal()));

  /* ---- palette ---- */
  const palette = one("#palette");
  const field = one("#palette-field");
  const openPalette = (start = "") => {
    if (!palette || palette.open) return;
    palette.showModal();
    field.value = start;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.focus();
  };
  all("[data-palette]").forEach((opener) => opener.addEventListener("click", (event) => {
    event.preventDefault();
    openPalette();
  }));
  const options = () => all("[role=option]", palette);
  const mark = (index) => {
    const rows = options();
    rows.forEach((row, at) => row.setAttribute("aria-selected", String(at === index)));
    const row = rows[index];
    if (row) { field.setAttribute("aria-activedescendant", row.id); row.scrollIntoView({ block: "nearest" }); }
    else field.removeAttribute("aria-activedescendant");
  };
  const marked = () => options().findIndex((row) => row.getAttribute("aria-selected") === "true");
  field?.addEventListener("keydown", (event) => {
    const rows = options();
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      if (rows.length) mark((marked() + step + rows.length) % rows.length);
    } else if (event.key === "Enter") {
      event.preventDefault();
      rows[Math.max(marked(), 0)]?.click();
    }
  });
  palette?.addEventListener("htmx:afterSwap", () => mark(0));

  /* ---- rows: cursor, selection, bulk bar ---- */
  const rows = () => all("[data-rows] tbody tr, [data-row]");
  let cursor = -1;
  const moveTo = (index) => {
    const list = rows();
    if (!list.length) return;
    cursor = Math.min(Math.max(index, 0), list.length - 1);
    list.forEach((row, at) => row.classList.toggle("cursor", at === cursor));
    const link = one("a[data-open]", list[cursor]) || one("a", list[cursor]);
    link?.focus();
    list[cursor].scrollIntoView({ block: "nearest" });
    if (peek?.open) showPeek(list[cursor]);
  };

  /* ---- peek: the row in short, beside the list; the list stays under the keyboard ---- */
  const peek = one("#peek");
  const narrow = window.matchMedia("(max-width: 900px)");
  let peeking = 0;
  const showPeek = (row) => {
    if (!peek || !row?.dataset.peek) return;
    const list = rows();
    cursor = list.indexOf(row);
    list.forEach((each) => { each.classList.toggle("peeked", each === row); each.classList.toggle("cursor", each === row); });
    clearTimeout(peeking);
    // A key that is held down moves faster than the server answers.
    peeking = setTimeout(() => {
      const back = encodeURIComponent(window.location.pathname + window.location.search);
      window.htmx.ajax("GET", `${row.dataset.peek}?next=${back}`, { source: peek, target: "#peek-content", swap: "innerHTML" });
    }, peek.open ? 120 : 0);
  };
  const openPeek = () => {
    if (!peek || peek.open) return;
    const kept = document.activeElement;
    if (narrow.matches) { peek.showModal(); return; }
    peek.show();
    document.documentElement.classList.add("peeking");
    kept?.focus();
    rows()[cursor]?.scrollIntoView({ block: "nearest" });
  };
  let left = -1;
  const closePeek = () => {
    if (!peek?.open) return;
    left = cursor; // closing gives the focus back to where the panel was opened
    peek.close();
  };
  const togglePeek = () => {
    const row = rows()[Math.max(cursor, 0)];
    if (peek?.open) closePeek();
    else if (row?.dataset.peek) { moveTo(rows().indexOf(row)); showPeek(row); }
  };
  peek?.addEventListener("close", () => {
    document.documentElement.classList.remove("peeking");
    all(".peeked").forEach((row) => row.classList.remove("peeked"));
    if (left >= 0) moveTo(left);
    left = -1;
  });
  document.body.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id !== "peek-content") return;
    openPeek();
    peek.scrollTop = 0;
    if (narrow.matches) one("h2", peek)?.focus();
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-peek-close]")) { closePeek(); return; }
    const opener = event.target.closest("[data-peek-open]");
    if (opener) { showPeek(opener.closest("[data-peek]")); return; }
  });
  document.addEventListener("focusin", (event) => {
    const row = event.target.closest("[data-rows] tbody tr, [data-row]");
    if (row) cursor = rows().indexOf(row);
  });
  const boxes = () => all("[data-rows] tbody input[type=checkbox]");
  const bulkbar = one("#bulkbar");
  const count = () => {
    if (!bulkbar) return;
    const chosen = boxes().filter((box) => box.checked);
    const everything = one("#all-matching");
    boxes().forEach((box) => box.closest("tr").setAttribute("aria-selected", String(box.checked)));
    const whole = one("#check-page");
    if (whole) whole.checked = chosen.length > 0 && chosen.length === boxes().length;
    const note = one("#chosen");
    if (note) note.textContent = everything?.checked ? note.dataset.all : `${chosen.length} selected`;
    bulkbar.hidden = chosen.length === 0 && !everything?.checked;
  };
  let last = null;
  document.addEventListener("click", (event) => {
    const box = event.target.closest("[data-rows] tbody input[type=checkbox]");
    if (!box) return;
    const list = boxes();
    if (event.shiftKey && last !== null) {
      const [from, to] = [list.indexOf(last), list.indexOf(box)].sort((a, b) => a - b);
      list.slice(from, to + 1).forEach((each) => { each.checked = box.checked; });
    }
    last = box;
  });
  document.addEventListener("change", (event) => {
    if (event.target.id === "check-page") boxes().forEach((box) => { box.checked = event.target.checked; });
    if (event.target.closest("[data-rows], #bulkbar")) count();
    if (event.target.matches("[data-submit-on-change]")) event.target.form.requestSubmit();
  });
  count();

  /* ---- undo: what was just done stays for 15 seconds, longer under pointer or focus ---- */
  const toast = one("#toast");
  if (toast) {
    const bar = one("progress", toast);
    let left = Number(toast.dataset.seconds);
    const away = () => { clearInterval(clock); toast.remove(); };
    const clock = setInterval(() => {
      if (toast.matches(":hover, :focus-within") || document.hidden) return;
      left -= 0.1;
      bar.value = left;
      if (left <= 0) away();
    }, 100);
    one("[data-toast-close]", toast).addEventListener("click", away);
  }

  /* ---- keyboard ---- */
  const typing = (target) => target.closest("input, textarea, select, [contenteditable]") &&
    !target.matches("input[type=checkbox]");
  let leader = 0;
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      openPalette();
      return;
    }
    if (document.querySelector("dialog:modal")) return;
    const shown = event.key === "Escape" && one("details.menu-list[open], details.me[open]");
    if (shown) { shown.open = false; one("summary", shown).focus(); return; }
    if (keysOff() || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (event.key === "Escape" && peek?.open) { event.preventDefault(); closePeek(); return; }
    if (event.key === "Tab" && peek?.open && !event.shiftKey && event.target.closest("[data-peek]")) {
      event.preventDefault();
      one("a, button", peek)?.focus();
      return;
    }
    if (event.key === "Tab" && event.shiftKey && peek?.open && event.target === one("a, button", peek)) {
      event.preventDefault();
      moveTo(cursor);
      return;
    }
    if (event.key === " " && !event.target.closest("button, summary, input")) {
      if (!rows().some((row) => row.dataset.peek)) return;
      event.preventDefault();
      togglePeek();
      return;
    }
    if (Date.now() - leader < 1200) {
      leader = 0;
      const place = one(`#rail a[data-go="${CSS.escape(event.key)}"]`);
      if (place) { event.preventDefault(); place.click(); }
      return;
    }
    const acts = {
      "/": () => openPalette(),
      g: () => { leader = Date.now(); },
      j: () => moveTo(cursor + 1),
      k: () => moveTo(cursor - 1),
      p: () => togglePeek(),
      x: () => { const box = one("input[type=checkbox]", rows()[cursor] || document.createElement("i")); if (box) { box.checked = !box.checked; count(); } },
      "*": () => { const box = one("#all-matching") || one("#check-page"); if (box) { box.checked = !box.checked; box.dispatchEvent(new Event("change", { bubbles: true })); } },
      f: () => one("[data-filter]")?.focus(),
      r: () => window.location.reload(),
      y: () => { const number = one("[data-copy]")?.dataset.copy; if (number) navigator.clipboard?.writeText(number).then(() => announce(`${number} copied`)); },
    };
    const own = all("[data-key]").find((each) => each.dataset.key === event.key);
    if (own) { event.preventDefault(); own.click(); if (own.matches("summary")) one("input:not([type=hidden])", own.parentElement)?.focus(); return; }
    if (acts[event.key]) { event.preventDefault(); acts[event.key](); }
  });

  /* ---- copying: a link or a number to the clipboard ---- */
  document.addEventListener("click", (event) => {
    const copier = event.target.closest("[data-copy-text]");
    if (!copier) return;
    const said = copier.textContent;
    navigator.clipboard?.writeText(copier.dataset.copyText).then(() => {
      announce("Copied");
      copier.textContent = "Copied";
      setTimeout(() => { copier.textContent = said; }, 2000);
    });
  });

  /* ---- scan box: a keyboard wedge types and presses Enter; the focus stays where it types ---- */
  const scan = () => one("[data-scan]");
  document.body.addEventListener("htmx:configRequest", (event) => {
    if (!event.target.matches?.("[data-scan-form]")) return;
    if (!event.detail.parameters.scan?.trim()) event.preventDefault();
  });
  document.body.addEventListener("htmx:beforeRequest", (event) => {
    // The wedge types the next code while this one is on its way.
    if (event.target.matches?.("[data-scan-form]")) scan().value = "";
  });
  const tone = (good) => {
    try {
      const audio = new AudioContext();
      const voice = audio.createOscillator();
      voice.frequency.value = good ? 880 : 220;
      voice.connect(audio.destination);
      voice.start();
      voice.stop(audio.currentTime + (good ? 0.08 : 0.3));
      navigator.vibrate?.(good ? 40 : [120, 60, 120]);
    } catch { /* no sound on this device: the answer is on the screen */ }
  };
  document.body.addEventListener("htmx:afterSwap", (event) => {
    const answer = one("[data-scan-answer]", event.detail.target);
    if (!answer) return;
    tone(answer.dataset.scanAnswer === "good");
    scan()?.focus();
  });
  document.addEventListener("click", (event) => {
    if (scan() && !event.target.closest("a, button, input, select, textarea, summary, label, dialog")) scan().focus();
  });
})();
