import time
from electis_cli.services import imports, spaces, people
def test_big(scope, engine_kind):
    n=50000
    sp = "external_id,TITLE\n" + "".join(f"S{i},Desk {i}\n" for i in range(n))
    pp = lambda shift: ("external_id,space,ITEM_NAME,TITLE,DEPARTMENT,PHONE\n" + "".join(f"{i:06d},S{(i+shift)%n},Name {i} לוי,Engineer,R&D,03-{i:07d}\n" for i in range(n))).encode()
    for name, f, c in (("spaces", imports.import_spaces, sp.encode()), ("people", imports.import_people, pp(0))):
        f(scope, c, source="x.csv")
    t=time.time(); len(spaces.list_spaces(scope)); print(engine_kind, "list spaces", round(time.time()-t,1))
    t=time.time(); len(people.list_people(scope)); print(engine_kind, "list people", round(time.time()-t,1))
