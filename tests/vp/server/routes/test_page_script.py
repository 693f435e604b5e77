"""The page's modules as one script: that it does what they do apart, and refuses what it would not do as they do."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from vp.errors import PageScriptError
from vp.package_files import package_file
from vp.server.routes.page_script import TEXT, page_script, stripped, tightened

NODE = shutil.which("node")
WEB = package_file("web")
# Names that are the same in several modules, a module that two others share, and every form of import and export.
MODULES = {
    "main.js": """
        import { Count as Counter, step } from "./count.js";
        import * as words from "./words.js";
        const own = "main";
        export const page = { held: new Counter(), own, step };
        page.held.add();
        words.trace.push(`${own} runs`);
        export async function later() { await null; return [words.first(page.held), words.trace, this === undefined]; }
    """,
    "words.js": """
        import { Count, step as by } from "./count.js";
        /** @param {Count} one
         * @returns {string} */
        export function first(one) { return `${own} ${one.value} by ${by}, a Count: ${one instanceof Count}`; }
        const own = "words";

        export const trace = ["words run"];
    """,
    "count.js": """
        const own = 3;
        export const step = own;
        export class Count { value = 0; add() { this.value += step; } }
    """,
}
LATER = "console.log(JSON.stringify(await later()));"
EXPECTED = ["words 3 by 3, a Count: true", ["words run", "main runs"], True]


def written(web: Path, modules: dict[str, str]) -> Path:
    """A directory of modules, in whose lines statements of a module stand at the beginning."""
    web.mkdir()
    for name, text in modules.items():
        (web / name).write_text(re.sub(r"^ {8}", "", text, flags=re.MULTILINE))
    return web


def run(directory: Path, text: str) -> str:
    """What node prints of a module in a directory."""
    if NODE is None:
        if os.environ.get("VP_REQUIRE_BROWSER") == "1":
            pytest.fail("VP_REQUIRE_BROWSER=1, but there is no node on the path")
        pytest.skip("no node on the path")
    (directory / "package.json").write_text('{"type": "module"}')
    (directory / "run.js").write_text(text)
    ended = subprocess.run([NODE, str(directory / "run.js")], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_the_script_does_what_its_modules_do_apart(tmp_path: Path) -> None:
    web = written(tmp_path / "web", MODULES)
    text = f'import {{ later }} from "./main.js";\n{LATER}'
    assert json.loads(run(web, text)) == EXPECTED
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "main.js").write_text(page_script(web)[web / "main.js"])
    assert json.loads(run(tmp_path / "served", text)) == EXPECTED


def test_a_module_that_is_imported_by_itself_is_the_one_that_the_page_has(tmp_path: Path) -> None:
    web = written(tmp_path / "web", MODULES)
    (tmp_path / "served").mkdir()
    for path, text in page_script(web).items():
        (tmp_path / "served" / path.name).write_text(text)
    same = """
        import { trace } from "./words.js";
        import { Count } from "./count.js";
        import { later, page } from "./main.js";
        console.log(trace === (await later())[1], page.held instanceof Count, trace.length);
    """
    assert run(tmp_path / "served", same).split() == ["true", "true", "2"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("export let a = 1;", "main.js has an import or export of another form in line 3: 'export let a = 1;'"),
        ("export default 1;", "export of another form"),
        ('export * from "./other.js";', "export of another form"),
        ("const a = 1; export { a };", "export of another form"),
        ("export const { a } = { a: 1 };", "export of another form"),
        ('import "./other.js";', "import or export of another form"),
        ('import other from "./other.js";', "import or export of another form"),
        ('import { b } from "https://other/other.js";', "import or export of another form"),
        ('const other = () => import("./other.js");', "an import while it runs in line 3"),
        ("const here = import.meta.url;", "an import while it runs"),
        ("const b = await fetch('x');", "an await outside of functions in line 3"),
        ("await fetch('x');", "an await outside of functions"),
        ("const b = await load(async () => 1);", "an await outside of functions"),
        ("const $modules = 1;", "$modules, a name of the script's own in line 3"),
        ('import { absent, b as c, lost as d } from "./other.js";', "main.js imports absent, lost from other.js"),
        ('import { b } from "./nowhere.js";', "nowhere.js is missing"),
        (
            'import { a } from "./circle.js";',
            "Modules of the page import each other: main.js imports circle.js imports main.js.",
        ),
    ],
)
def test_what_it_cannot_put_together_is_refused(tmp_path: Path, line: str, words: str) -> None:
    circle = 'import { b } from "./main.js";\nexport const a = b;'
    modules = {"main.js": f"/** A\n * comment. */\n{line}\n", "other.js": "export const b = 1;", "circle.js": circle}
    web = written(tmp_path / "web", modules)
    with pytest.raises(PageScriptError, match=re.escape(words)) as caught:
        page_script(web)
    assert caught.value.hint


def test_what_only_looks_like_it_is_not_refused(tmp_path: Path) -> None:
    """Methods named export and import, and await within functions."""
    lines = """
        const load = async () => { await null; };
        class Menu {
          export(form) { return form; }
          async act() { await load(); }
        }
        export const page = new Menu().export(1);
    """
    assert "let page" in page_script(written(tmp_path / "web", {"main.js": lines}))[tmp_path / "web" / "main.js"]


def test_the_page_is_all_of_its_modules_each_once_behind_those_that_it_imports(tmp_path: Path) -> None:
    sent = page_script(WEB)
    script = sent[WEB / "main.js"]
    order = re.findall(r'^\$modules\["([\w-]+)"\]=\(\(\)=>\{$', script, re.MULTILINE)
    alone = {"start", "probe"}  # no module; loaded by tests alone
    assert sorted(order) == sorted(path.stem for path in WEB.glob("*.js") if path.stem not in alone)
    assert {path.stem for path in sent} == {*order}
    for name in order:
        for other in re.findall(r' from "\./([\w-]+)\.js";', (WEB / f"{name}.js").read_text()):
            assert order.index(other) < order.index(name)
    assert "import " not in re.sub(r"[\"'`].*", "", script)
    if NODE is not None:  # it is a module in itself, whose statements all are whole
        (tmp_path / "page.mjs").write_text(script)
        subprocess.run([NODE, "--check", str(tmp_path / "page.mjs")], check=True)


@pytest.mark.parametrize("module", sorted(WEB.glob("*.js")), ids=lambda path: path.name)
def test_only_comments_indentation_and_empty_lines_stay_behind(module: Path) -> None:
    text = module.read_text()
    kept, *commented = text.split("/**")
    kept += "".join(part.partition("*/")[2].lstrip(" \t") for part in commented)
    kept = "\n".join(re.sub(r"(^|(?<=[ ;{}),]))// .*", "", line) for line in kept.split("\n"))
    sent = stripped(text)
    assert sent.split("\n") == [*filter(None, (line.lstrip(" \t") for line in kept.split("\n"))), ""]
    assert len(sent) < len(text)


def test_types_and_comments_go_and_the_expression_behind_one_stays() -> None:
    code = "/** @type {X} */ (a).b = 1; /** c */\n/** @type {Y} */\nlet y; // d\n// e\n"
    assert stripped(code) == "(a).b = 1; \nlet y; \n"


def test_an_address_is_no_comment() -> None:
    for text in ('open("http://a.b/c");\n', "const { protocol } = x;\nreturn `${protocol}//${host}`;\n"):
        assert stripped(text) == text


@pytest.mark.parametrize(
    ("line", "sent"),
    [
        ("const { a, b } = c ? d : [e];", "let{a,b}=c?d:[e];"),
        ("return (a + b) * -c - d % 2;", "return(a+b)*-c-d%2;"),
        ("a = b + +c - -d - --e;", "a=b + +c - -d - --e;"),
        ("if (a < b && !c) { d ||= e; } else f();", "if(a<b&&!c){d||=e;}else f();"),
        ("const share = a / (b + c);", "let share=a/(b+c);"),
        ("sum += f(a) - b / c[0] * d;", "sum+=f(a)-b/c[0]*d;"),
        ("held[a] /= b; c ||= d ** e; f = g - -h;", "held[a]/=b;c||=d**e;f=g - -h;"),
        ('say("a , b \\" ; c" + d);', 'say("a , b \\" ; c" + d);'),
        ("say(`a , ${ b ? c : d } ; e`, f);", "say(`a , ${ b ? c : d } ; e`,f);"),
        ("say(`a ${b ? ` , c` : d} , e` , f);",) * 2,
        (
            'for (const a of b) { say("const c"); d.const = constant; }',
            'for(let a of b){say("const c");d.const=constant;}',
        ),
        ("const found = a.replace(/ ( ,|{2} )/g, b);",) * 2,
        ("const quote = ' , ';",) * 2,
    ],
)
def test_spaces_go_where_no_meaning_hangs_on_them(line: str, sent: str) -> None:
    assert tightened(line) == sent


def test_what_only_closes_stands_behind_what_it_closes() -> None:
    code = "f(() => {\nif (a) {\nb();\nwhile (c());\n}\nd = `\n}\n`;\nlet e = [1,\n2,\n];\n});\ng();\n"
    sent = "f(()=>{\nif(a){\nb();\nwhile(c());}\nd = `\n}\n`;\nlet e=[1,\n2,]});\ng();\n"
    assert tightened(code) == sent


def test_a_text_of_several_lines_stays() -> None:
    text = "a = `one ,\n two ; ( three )\nfour , five`;\nb = c;"
    assert tightened(text) == text.replace("b = c", "b=c")


def test_of_the_page_only_spaces_go_and_none_of_what_it_says() -> None:
    """Each text and each pattern of a module comes as it is written."""
    script = page_script(WEB)[WEB / "main.js"]
    apart = "".join(
        stripped(path.read_text()) for path in sorted(WEB.glob("*.js")) if path.stem not in {"start", "probe"}
    )
    assert 0.88 < len(script) / len(apart) < 0.96
    for text in TEXT.findall(apart):
        assert text in script or " from " in apart[apart.index(text) - 6 : apart.index(text)], text
    patterns = re.findall(r"[(=,] ?(/(?![ /*])(?:[^/\\\n]|\\.)+/[a-z]*)", apart)
    assert len(patterns) > 4
    assert all(pattern in script for pattern in patterns)
