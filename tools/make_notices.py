"""Write the notices of the policy that ships where the Django app reads them: sdk/wildgate/contrib/django/notices.json.

python tools/make_notices.py            # write
python tools/make_notices.py --check    # fail if the committed file is not what the policy says
"""

import json
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
POLICY = ROOT / "service" / "wildgate_service" / "policies" / "default.toml"
JOINER = "\u200c"  # parts letters of Persian; it would not be seen in the file
FILE = ROOT / "sdk" / "wildgate" / "contrib" / "django" / "notices.json"


def content() -> str:
    """The whole file."""
    notices = tomllib.loads(POLICY.read_text(encoding="utf-8"))["notices"]
    text = json.dumps({action: notices[action] for action in ("block", "review")}, ensure_ascii=False, indent=1) + "\n"
    return text.replace(JOINER, json.dumps(JOINER)[1:-1])


def main() -> None:
    """Write or check."""
    if "--check" not in sys.argv[1:]:
        FILE.write_text(content(), encoding="utf-8")
    elif FILE.read_text(encoding="utf-8") != content():
        sys.exit("notices.json is not what the policy says: run python tools/make_notices.py and commit")


if __name__ == "__main__":
    main()
