"""Transformer of case.map.

Written by fhirmap 0.1.0: change the map and compile it again.
Digest of its texts: 0c81669477518e047c7c92684854686dd143c81b2ec1f58890563f84dd96e081
"""

from fhirmap.records import Result
from fhirmap.runtime import fhirpath as fp
from fhirmap.runtime.context import RecordRun, check_failed
from fhirmap.runtime.lists import copied, counted, only_one
from fhirmap.runtime.nodes import assign, of_types

_types_1 = fp.TypeTable({'Address': {'id': 'string', 'extension*': 'Extension', 'use': 'code'}, 'Age': {'id': 'string', 'extension*': 'Extension', 'value': 'decimal'}, 'Annotation': {'id': 'string', 'extension*': 'Extension'}, 'Attachment': {'id': 'string', 'extension*': 'Extension'}, 'CodeableConcept': {'id': 'string', 'extension*': 'Extension'}, 'Coding': {'id': 'string', 'extension*': 'Extension'}, 'ContactDetail': {'id': 'string', 'extension*': 'Extension', 'name': 'string'}, 'ContactPoint': {'id': 'string', 'extension*': 'Extension', 'value': 'string', 'use': 'code'}, 'Contributor': {'id': 'string', 'extension*': 'Extension', 'name': 'string', 'contact*': 'ContactDetail'}, 'Count': {'id': 'string', 'extension*': 'Extension', 'value': 'decimal'}, 'DataRequirement': {'id': 'string', 'extension*': 'Extension'}, 'Distance': {'id': 'string', 'extension*': 'Extension', 'value': 'decimal'}, 'Dosage': {'id': 'string', 'extension*': 'Extension'}, 'Duration': {'id': 'string', 'extension*': 'Extension', 'value': 'decimal'}, 'Expression': {'id': 'string', 'extension*': 'Extension', 'name': 'id'}, 'Extension': {'id': 'string', 'extension*': 'Extension', 'value': ('base64Binary', 'boolean', 'canonical', 'code', 'date', 'dateTime', 'decimal', 'id', 'instant', 'integer', 'markdown', 'oid', 'positiveInt', 'string', 'time', 'unsignedInt', 'uri', 'url', 'uuid', 'Address', 'Age', 'Annotation', 'Attachment', 'CodeableConcept', 'Coding', 'ContactPoint', 'Count', 'Distance', 'Duration', 'HumanName', 'Identifier', 'Money', 'Period', 'Quantity', 'Range', 'Ratio', 'Reference', 'SampledData', 'Signature', 'Timing', 'ContactDetail', 'Contributor', 'DataRequirement', 'Expression', 'ParameterDefinition', 'RelatedArtifact', 'TriggerDefinition', 'UsageContext', 'Dosage', 'Meta')}, 'HumanName': {'id': 'string', 'extension*': 'Extension', 'use': 'code', 'family': 'string', 'given*': 'string'}, 'Identifier': {'id': 'string', 'extension*': 'Extension', 'use': 'code', 'value': 'string'}, 'Meta': {'id': 'string', 'extension*': 'Extension'}, 'Money': {'id': 'string', 'extension*': 'Extension', 'value': 'decimal'}, 'ParameterDefinition': {'id': 'string', 'extension*': 'Extension', 'name': 'code', 'use': 'code'}, 'Patient': {'id': 'id', 'extension*': 'Extension', 'identifier*': 'Identifier', 'name*': 'HumanName', 'gender': 'code', 'birthDate': 'date', 'deceased': ('boolean', 'dateTime'), 'contact*': 'Patient.contact'}, 'Patient.contact': {'id': 'string', 'extension*': 'Extension', 'name': 'HumanName', 'gender': 'code'}, 'Period': {'id': 'string', 'extension*': 'Extension'}, 'Quantity': {'id': 'string', 'extension*': 'Extension', 'value': 'decimal'}, 'Range': {'id': 'string', 'extension*': 'Extension'}, 'Ratio': {'id': 'string', 'extension*': 'Extension'}, 'Reference': {'id': 'string', 'extension*': 'Extension', 'identifier': 'Identifier'}, 'RelatedArtifact': {'id': 'string', 'extension*': 'Extension'}, 'SampledData': {'id': 'string', 'extension*': 'Extension'}, 'Signature': {'id': 'string', 'extension*': 'Extension'}, 'Timing': {'id': 'string', 'extension*': 'Extension'}, 'TriggerDefinition': {'id': 'string', 'extension*': 'Extension', 'name': 'string'}, 'UsageContext': {'id': 'string', 'extension*': 'Extension', 'value': ('CodeableConcept', 'Quantity', 'Range', 'Reference')}}, {'Address': 'Element', 'Age': 'Quantity', 'Quantity': 'Element', 'Annotation': 'Element', 'Attachment': 'Element', 'CodeableConcept': 'Element', 'Coding': 'Element', 'ContactDetail': 'Element', 'ContactPoint': 'Element', 'Contributor': 'Element', 'Count': 'Quantity', 'DataRequirement': 'Element', 'Distance': 'Quantity', 'Dosage': 'BackboneElement', 'BackboneElement': 'Element', 'Duration': 'Quantity', 'Expression': 'Element', 'Extension': 'Element', 'HumanName': 'Element', 'Identifier': 'Element', 'Meta': 'Element', 'Money': 'Element', 'ParameterDefinition': 'Element', 'Patient': 'DomainResource', 'DomainResource': 'Resource', 'Patient.contact': 'BackboneElement', 'Period': 'Element', 'Range': 'Element', 'Ratio': 'Element', 'Reference': 'Element', 'RelatedArtifact': 'Element', 'SampledData': 'Element', 'Signature': 'Element', 'Timing': 'BackboneElement', 'TriggerDefinition': 'Element', 'UsageContext': 'Element'})
_name_2 = fp.RawElement('Patient', 'name', _types_1)
_family_3 = fp.RawElement('HumanName', 'family', _types_1)
_use_4 = fp.RawElement('HumanName', 'use', _types_1)
_given_5 = fp.RawElement('HumanName', 'given', _types_1)
_OTHERS_6 = frozenset(('_deceasedBoolean', 'deceasedDateTime', '_deceasedDateTime'))
_deceased_7 = fp.RawElement('Patient', 'deceased', _types_1)
_OTHERS_8 = frozenset(('deceasedBoolean', '_deceasedBoolean', '_deceasedDateTime'))
_gender_9 = fp.RawElement('Patient', 'gender', _types_1)
_birthDate_10 = fp.RawElement('Patient', 'birthDate', _types_1)
_contact_11 = fp.RawElement('Patient', 'contact', _types_1)
_identifier_12 = fp.RawElement('Patient', 'identifier', _types_1)
# Element of the result -> rule that makes it, source columns.
_places = {
    'Basic.extension': ('case.map:9:47', ()),
    'Basic.extension.url': ('case.map:9:67', ()),
    'Basic.extension.value[x]': ('case.map:9:84', ()),
}
# Rule or check -> element, source columns, where that table does not say.
_rules = {
    'case.map:9:47': ('Basic.extension', ()),
    'case.map:10:51': ('Basic.extension', ()),
    'case.map:11:46': ('Basic.extension', ()),
    'case.map:12:50': ('Basic.extension', ()),
    'case.map:13:66': ('Basic.extension', ()),
    'case.map:14:64': ('Basic.extension', ()),
    'case.map:15:26': ('Basic.extension', ()),
    'case.map:16:34': ('Basic.extension', ()),
    'case.map:17:35': ('Basic.extension', ()),
    'case.map:18:42': ('Basic.extension', ()),
    'case.map:19:49': ('Basic.extension', ()),
    'case.map:20:28': ('Basic.extension', ()),
    'case.map:21:35': ('Basic.extension', ()),
    'case.map:22:10': ('Basic.extension', ()),
    'case.map:9:67': ('Basic.extension.url', ()),
    'case.map:10:71': ('Basic.extension.url', ()),
    'case.map:11:66': ('Basic.extension.url', ()),
    'case.map:12:70': ('Basic.extension.url', ()),
    'case.map:13:86': ('Basic.extension.url', ()),
    'case.map:14:84': ('Basic.extension.url', ()),
    'case.map:15:46': ('Basic.extension.url', ()),
    'case.map:16:54': ('Basic.extension.url', ()),
    'case.map:17:55': ('Basic.extension.url', ()),
    'case.map:18:62': ('Basic.extension.url', ()),
    'case.map:19:69': ('Basic.extension.url', ()),
    'case.map:20:48': ('Basic.extension.url', ()),
    'case.map:21:55': ('Basic.extension.url', ()),
    'case.map:22:30': ('Basic.extension.url', ()),
    'case.map:9:84': ('Basic.extension.value[x]', ()),
    'case.map:10:92': ('Basic.extension.value[x]', ()),
    'case.map:11:82': ('Basic.extension.value[x]', ()),
    'case.map:12:90': ('Basic.extension.value[x]', ()),
    'case.map:13:103': ('Basic.extension.value[x]', ()),
    'case.map:14:101': ('Basic.extension.value[x]', ()),
    'case.map:15:64': ('Basic.extension.value[x]', ()),
    'case.map:16:74': ('Basic.extension.value[x]', ()),
    'case.map:17:78': ('Basic.extension.value[x]', ()),
    'case.map:18:80': ('Basic.extension.value[x]', ()),
    'case.map:19:85': ('Basic.extension.value[x]', ()),
    'case.map:20:67': ('Basic.extension.value[x]', ()),
    'case.map:21:77': ('Basic.extension.value[x]', ()),
    'case.map:22:50': ('Basic.extension.value[x]', ()),
    'case.map:19:29': ('', ('Patient.birthDate',)),
}
# What is made for each record.
_Run = RecordRun.of(globals())


def constant_both(run):
    """let both  case.map:6"""
    return 'n:' + 'x'


def sources(src, tgt, run):
    """group sources(source src : Patient, target tgt : Basic)  case.map:8"""
    tgt_extension = tgt.get('extension') or []

    # name  (case.map:9)
    try:
        kept = []
        for n in fp.objects_at(src, _name_2):
            kept.append(n)
        for n in kept[:1]:
            # family  (case.map:9)
            try:
                f = n.get('family')
                if type(f) is str and f and '_family' not in n:
                    tgt_extension.append({'url': 'first', 'valueString': f})
                else:
                    # by items: there is no value, or it has extensions, or another shape or type
                    for f in fp.items_at(n, _family_3):
                        e = {'url': 'first'}
                        tgt_extension.append(e)
                        assign(e, 'value', [f], (('string',), True), False)
            except run.caught as error:
                run.fail(error)
    except run.caught as error:
        run.fail(error)

    # name-2  (case.map:10)
    try:
        kept = []
        for n in fp.objects_at(src, _name_2):
            kept.append(n)
        for n in kept[1:]:
            # family  (case.map:10)
            try:
                f = n.get('family')
                if type(f) is str and f and '_family' not in n:
                    tgt_extension.append({'url': 'not_first', 'valueString': f})
                else:
                    # by items: there is no value, or it has extensions, or another shape or type
                    for f in fp.items_at(n, _family_3):
                        e = {'url': 'not_first'}
                        tgt_extension.append(e)
                        assign(e, 'value', [f], (('string',), True), False)
            except run.caught as error:
                run.fail(error)
    except run.caught as error:
        run.fail(error)

    # name-3  (case.map:11)
    try:
        kept = []
        for n in fp.objects_at(src, _name_2):
            kept.append(n)
        for n in kept[-1:]:
            # family  (case.map:11)
            try:
                f = n.get('family')
                if type(f) is str and f and '_family' not in n:
                    tgt_extension.append({'url': 'last', 'valueString': f})
                else:
                    # by items: there is no value, or it has extensions, or another shape or type
                    for f in fp.items_at(n, _family_3):
                        e = {'url': 'last'}
                        tgt_extension.append(e)
                        assign(e, 'value', [f], (('string',), True), False)
            except run.caught as error:
                run.fail(error)
    except run.caught as error:
        run.fail(error)

    # name-4  (case.map:12)
    try:
        kept = []
        for n in fp.objects_at(src, _name_2):
            kept.append(n)
        for n in kept[:-1]:
            # family  (case.map:12)
            try:
                f = n.get('family')
                if type(f) is str and f and '_family' not in n:
                    tgt_extension.append({'url': 'not_last', 'valueString': f})
                else:
                    # by items: there is no value, or it has extensions, or another shape or type
                    for f in fp.items_at(n, _family_3):
                        e = {'url': 'not_last'}
                        tgt_extension.append(e)
                        assign(e, 'value', [f], (('string',), True), False)
            except run.caught as error:
                run.fail(error)
    except run.caught as error:
        run.fail(error)

    # name-5  (case.map:13)
    try:
        for n in src.get('name') or fp.no_objects(src, _name_2):
            if type(n) is dict or fp.is_object(n, src, _name_2):
                use = n.get('use')
                if use == 'official' or (type(use) is not str and use is not None and fp.unlike(n, _use_4)):
                    # family  (case.map:13)
                    try:
                        f = n.get('family')
                        if type(f) is str and f and '_family' not in n:
                            tgt_extension.append({'url': 'where', 'valueString': f})
                        else:
                            # by items: there is no value, or it has extensions, or another shape or type
                            for f in fp.items_at(n, _family_3):
                                e = {'url': 'where'}
                                tgt_extension.append(e)
                                assign(e, 'value', [f], (('string',), True), False)
                    except run.caught as error:
                        run.fail(error)
    except run.caught as error:
        run.fail(error, (src, _name_2))

    # name-6  (case.map:14)
    try:
        for n in src.get('name') or fp.no_objects(src, _name_2):
            if type(n) is dict or fp.is_object(n, src, _name_2):
                # by items: given may have extensions
                for g in fp.items_at(n, _given_5):
                    run.note('given of ' + (run.counted_again(fp.text_at(run.counted_again(n), _family_3)) or ''), 'case.map:14:36')
                    e = {'url': 'given'}
                    tgt_extension.append(e)
                    # by items: %g is an item
                    assign(e, 'value', fp.concatenate([(run.counted_again(fp.text_at(run.counted_again(n), _family_3)) or '') + ' '], [g]), (('string',), True), False)
    except run.caught as error:
        run.fail(error, (src, _name_2))

    # given  (case.map:15)
    try:
        for name in src.get('name') or fp.no_objects(src, _name_2):
            if type(name) is dict or fp.is_object(name, src, _name_2):
                given = fp.only_texts(name, 'given')
                if given is not None:
                    for g in given:
                        tgt_extension.append({'url': 'nested', 'valueString': g})
                else:
                    # by items: there is no value, or it has extensions, or another shape or type
                    for g in fp.items_at(name, _given_5):
                        e = {'url': 'nested'}
                        tgt_extension.append(e)
                        assign(e, 'value', [g], (('string',), True), False)
    except run.caught as error:
        run.fail(error, (src, _name_2))

    # deceasedBoolean  (case.map:16)
    try:
        d = src.get('deceasedBoolean')
        if type(d) is bool and _OTHERS_6.isdisjoint(src):
            tgt_extension.append({'url': 'deceased', 'valueBoolean': d})
        else:
            # by items: there is no value, or it has extensions, or another shape or type
            for d in of_types(fp.items_at(src, _deceased_7), ('boolean',)):
                e = {'url': 'deceased'}
                tgt_extension.append(e)
                assign(e, 'value', [d], (('boolean',), True), False)
    except run.caught as error:
        run.fail(error)

    # deceasedDateTime  (case.map:17)
    try:
        d = src.get('deceasedDateTime')
        if type(d) is str and d and _OTHERS_8.isdisjoint(src):
            tgt_extension.append({'url': 'deceased-at', 'valueDateTime': d})
        else:
            # by items: there is no value, or it has extensions, or another shape or type
            for d in of_types(fp.items_at(src, _deceased_7), ('dateTime',)):
                e = {'url': 'deceased-at'}
                tgt_extension.append(e)
                assign(e, 'value', [d], (('dateTime',), True), False)
    except run.caught as error:
        run.fail(error)

    # gender  (case.map:18)
    try:
        # by items: gender may have extensions
        found = fp.items_at(src, _gender_9)
        if not found:
            found = ['unknown']
        for g in found:
            e = {'url': 'gender'}
            tgt_extension.append(e)
            assign(e, 'value', [g], (('code',), True), False)
    except run.caught as error:
        run.fail(error)

    # birthDate  (case.map:19)
    try:
        b = src.get('birthDate')
        if type(b) is str and b and '_birthDate' not in src:
            # by items: today() is not decided by types
            if not fp.holds(fp.less(fp.nodes(b, 'date'), fp.today(run.environment))):
                raise check_failed('$this < today()')
            tgt_extension.append({'url': 'born', 'valueDate': b})
        else:
            # by items: there is no value, or it has extensions, or another shape or type
            for b in fp.items_at(src, _birthDate_10):
                if not fp.holds(fp.less([b], fp.today(run.environment))):
                    raise check_failed('$this < today()')
                e = {'url': 'born'}
                tgt_extension.append(e)
                assign(e, 'value', [b], (('date',), True), False)
    except run.caught as error:
        run.fail(error)

    # contact  (case.map:20)
    try:
        for c_2 in counted(list(fp.objects_at(src, _contact_11)), 0, 1):
            tgt_extension.append({'url': 'contact', 'valueString': 'one'})
    except run.caught as error:
        run.fail(error)

    # identifier  (case.map:21)
    try:
        kept = []
        for i in fp.objects_at(src, _identifier_12):
            kept.append(i)
        for i in only_one(kept):
            tgt_extension.append({'url': 'identifier', 'valueIdentifier': copied(i)})
    except run.caught as error:
        run.fail(error)

    # rule-14  (case.map:22)
    try:
        e = {'url': 'constant'}
        tgt_extension.append(e)
        e['valueString'] = run.constant('constant_both', constant_both)
    except run.caught as error:
        run.fail(error)

    if tgt_extension:
        tgt['extension'] = tgt_extension


def _transform(row, strict=False):
    """One record: what it becomes, with notes and faults; no resource where it is out of scope."""
    run = _Run()
    if strict:
        run.caught = ()
    try:
        source = row if type(row) is dict and row.get('resourceType') == 'Patient' else fp.object_root(row, 'Patient', _types_1, 'Patient')
    except run.caught as error:
        run.abandon(error)
        return run.result({}, _places)
    run.resource = source
    resource = {'resourceType': 'Basic'}
    try:
        sources(source, resource, run)
    except run.caught as error:
        run.abandon(error)
    if len(resource) == 1 and not run.failed:
        return run.nothing()
    return Result(resource) if run.is_silent else run.result(resource, _places)


# From this line on -> where the map says so.
_marks = {
    81: 'case.map:6:1',
    86: 'case.map:8:7',
    88: 'case.map:8:1',
    92: 'case.map:9:3',
    98: 'case.map:9:30',
    100: 'case.map:9:47',
    103: 'case.map:9:30',
    104: 'case.map:9:47',
    106: 'case.map:9:84',
    114: 'case.map:10:3',
    120: 'case.map:10:34',
    122: 'case.map:10:51',
    125: 'case.map:10:34',
    126: 'case.map:10:51',
    128: 'case.map:10:92',
    136: 'case.map:11:3',
    142: 'case.map:11:29',
    144: 'case.map:11:46',
    147: 'case.map:11:29',
    148: 'case.map:11:46',
    150: 'case.map:11:82',
    158: 'case.map:12:3',
    164: 'case.map:12:33',
    166: 'case.map:12:50',
    169: 'case.map:12:33',
    170: 'case.map:12:50',
    172: 'case.map:12:90',
    180: 'case.map:13:3',
    182: 'case.map:13:24',
    186: 'case.map:13:49',
    188: 'case.map:13:66',
    191: 'case.map:13:49',
    192: 'case.map:13:66',
    194: 'case.map:13:103',
    202: 'case.map:14:3',
    205: 'case.map:14:18',
    206: 'case.map:14:36',
    207: 'case.map:14:64',
    210: 'case.map:14:101',
    216: 'case.map:15:3',
    221: 'case.map:15:26',
    224: 'case.map:15:3',
    225: 'case.map:15:26',
    227: 'case.map:15:64',
    233: 'case.map:16:3',
    235: 'case.map:16:34',
    238: 'case.map:16:3',
    239: 'case.map:16:34',
    241: 'case.map:16:74',
    247: 'case.map:17:3',
    249: 'case.map:17:35',
    252: 'case.map:17:3',
    253: 'case.map:17:35',
    255: 'case.map:17:78',
    262: 'case.map:18:3',
    264: 'case.map:18:23',
    265: 'case.map:18:3',
    266: 'case.map:18:42',
    268: 'case.map:18:80',
    274: 'case.map:19:3',
    277: 'case.map:19:29',
    279: 'case.map:19:49',
    282: 'case.map:19:3',
    283: 'case.map:19:29',
    285: 'case.map:19:49',
    287: 'case.map:19:85',
    293: 'case.map:20:3',
    294: 'case.map:20:28',
    300: 'case.map:21:3',
    304: 'case.map:21:35',
    310: 'case.map:22:10',
    312: 'case.map:22:50',
    316: 'case.map:8:1',
    320: '',
}
