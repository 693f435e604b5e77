// No module, so that it runs where modules do not come: it says which of them was refused, and by what answer.
addEventListener("error", ({ target }) => {
  if (!(target instanceof HTMLScriptElement)) return;
  /** @type {Set<string>} */
  const seen = new Set();
  /** @param {string} name @returns {Promise<string>} what is wrong with it or with a module that it imports, or nothing */
  const judge = async (name) => {
    if (seen.has(name)) return "";
    seen.add(name);
    const answer = await fetch(name).catch(() => null);
    if (!answer) return `${name} does not come: the server or the way to it is gone`;
    if (!answer.ok) return `something between this page and the server refuses ${name}: it answers ${answer.status} ${answer.statusText}`;
    if (!/javascript/.test(answer.headers.get("content-type") ?? "")) return `what comes as ${name} is no script: something between this page and the server has changed it`;
    const imports = [...(await answer.text()).matchAll(/from "\.\/([\w-]+\.js)"/g)].map(([, other]) => other);
    return (await Promise.all(imports.map(judge))).find(Boolean) ?? "";
  };
  void judge(target.getAttribute("src") ?? "").then((wrong) => {
    const place = document.getElementById("unstarted");
    if (!place || !wrong) return;
    place.style.animation = "none";
    place.textContent = `The page cannot start: ${wrong}. Let it through, or open the page by another way, then load it again.`;
  });
}, true);
