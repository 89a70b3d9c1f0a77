"""Tab completion: what a shell runs to complete our commands.

Hydra's own scripts expect that a program takes overrides at once; ours takes a command before. So the shell completes
the command by itself, and asks that command's Hydra for its groups, options and keys. No word that is typed or
suggested is ever evaluated: it may hold a command.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from dynas.errors import DynasError, one_of

FLAGS = ("-sc", "--shell-completion")
HYDRAS = ("search", "compress", "evaluate", "transfer", "train", "predictors")
OTHERS = ("report", "export", "lut", "new", "paper")  # the shell's own completion of folders serves them
HOW = (
    'tab completion is installed by eval "$(dynas search -sc install=bash)", in zsh with install=zsh, in fish '
    "by dynas search -sc install=fish | source"
)

BASH = """\
_dynas() {
    local line="${COMP_LINE:0:$COMP_POINT}" word left command choices choice cut=""
    word="${line##* }"
    left="${line#* }"              # what follows dynas
    command="${left%% *}"
    left="${left#"$command"}"      # what follows the command
    case "$command$left" in
        *" "*) ;;
        *) choices="COMMANDS" ;;
    esac
    case "$command$left" in
        "lut build "* | "lut check "*)
            left="${left# }"
            choices="$(COMP_LINE="dynas ${left#* }" dynas lut "${left%% *}" -sc query=bash 2>/dev/null)" ;;
        "lut "*) choices="build check" ;;
    esac
    case "$command$left" in
        HYDRAS)
            choices="$(COMP_LINE="dynas$left" dynas "$command" -sc query=bash 2>/dev/null)" ;;
    esac
    case "$COMP_WORDBREAKS" in
        *=*) [[ "$word" != *=* ]] || cut="${word%=*}=" ;;    # then a shell completes what follows the sign alone
    esac
    COMPREPLY=()
    while IFS= read -r choice; do
        [[ -z "$choice" || "$choice" != "$word"* ]] || COMPREPLY+=("${choice#"$cut"}")
    done < <(printf '%s' "$choices" | tr ' ' '\\n'; echo)
}
complete -o nospace -o default -F _dynas dynas"""
ZSH = "autoload -Uz compinit bashcompinit && compinit -u && bashcompinit\n"
FISH = """\
function _dynas
    set -l words (commandline -opc)
    set -l command $words[2]
    set -l left $words[3..]
    if test -z "$command"
        string split ' ' "COMMANDS"
    else if test "$command" = lut; and test (count $left) = 0
        string split ' ' "build check"
    else if test "$command" = lut
        COMP_LINE="dynas $left[2..] "(commandline -ct) dynas lut $left[1] -sc query=bash 2>/dev/null | string split ' '
    else if contains -- "$command" HYDRAS
        COMP_LINE="dynas $left "(commandline -ct) dynas $command -sc query=bash 2>/dev/null | string split ' '
    end
end
complete -c dynas -e
complete -c dynas -a '(_dynas)'"""


def _named(script: str, patterns: str) -> str:
    return script.replace("COMMANDS", " ".join((*HYDRAS, *OTHERS))).replace("HYDRAS", patterns)


_BASH = _named(BASH, " | ".join(f'"{command} "*' for command in HYDRAS))
INSTALL = {"bash": _BASH, "zsh": ZSH + _BASH, "fish": _named(FISH, " ".join(HYDRAS))}
UNINSTALL = {
    "bash": "complete -r dynas; unset -f _dynas",
    "zsh": "compdef -d dynas; unset -f _dynas",
    "fish": "complete -c dynas -e; functions -e _dynas",
}


def answered(arguments: Sequence[str]) -> bool:
    """Tell a shell how to complete our commands; return whether that was all that was asked.

    What a shell asks while somebody types is left to Hydra, without what is no override on that line, such as the run
    folder of ``dynas transfer``.

    Raises:
        DynasError: there is no such shell or request.
    """
    if not any(argument in FLAGS for argument in arguments):
        return False
    asked = [argument for argument in arguments if argument not in FLAGS]
    request, _, shell = asked[0].partition("=") if len(asked) == 1 else ("", "", "")
    if request == "query":
        os.environ["COMP_LINE"] = overrides_only(os.environ.get("COMP_LINE", "dynas "))
        return False
    if request not in ("install", "uninstall"):
        raise DynasError(HOW)
    if shell not in INSTALL:
        raise one_of("shell", shell, INSTALL)
    print((INSTALL if request == "install" else UNINSTALL)[shell])
    return True


def overrides_only(line: str) -> str:
    """Return a command line without the words before its last one that are no override."""
    program, *words = line.split(" ")
    return " ".join([program, *(word for word in words[:-1] if "=" in word), *words[-1:]])
