"""Transformer of case.map.

Written by fhirmap 0.1.0: change the map and compile it again.
Digest of its texts: 0c81669477518e047c7c92684854686dd143c81b2ec1f58890563f84dd96e081
"""

from fhirmap.runtime import fhirpath as fp
from fhirmap.runtime.context import RecordRun, check_failed
from fhirmap.runtime.lists import counted, only_one
from fhirmap.runtime.nodes import assign, of_types

_types_1 = fp.TypeTable({'Address': {'id': 'string', 'extension*': 'Extension', 'use': 'code'}, 'Age': {'id': 'string', 'extension*': 'Extension', 'value': 'decimal'}, 'Annotation': {'id': 'string', 'extension*': 'Extension'}, 'Attachment': {'id': 'string', 'extension*': 'Extension'}, 'CodeableConcept': {'id': 'string', 'extension*': 'Extension'}, 'Coding': {'id': 'string', 'extension*': 'Extension'}, 'ContactDetail': {'id': 'string', 'extension*': 'Extension', 'name': 'string'}, 'ContactPoint': {'id': 'string', 'extension*': 'Extension', 'value': 'string', 'use': 'code'}, 'Contributor': {'id': 'string', 'extension*': 'Extension', 'name': 'string', 'contact*': 'ContactDetail'}, 'Count': {'id': 'string', 'extension*': 'Extension', 'value': 'decimal'}, 'DataRequirement': {'id': 'string', 'extension*': 'Extension'}, 'Distance': {'id': 'string', 'extension*': 'Extension', 'value': 'decimal'}, 'Dosage': {'id': 'string', 'extension*': 'Extension'}, 'Duration': {'id': 'string', 'extension*': 'Extension', 'value': 'decimal'}, 'Expression': {'id': 'string', 'extension*': 'Extension', 'name': 'id'}, 'Extension': {'id': 'string', 'extension*': 'Extension', 'value': ('base64Binary', 'boolean', 'canonical', 'code', 'date', 'dateTime', 'decimal', 'id', 'instant', 'integer', 'markdown', 'oid', 'positiveInt', 'string', 'time', 'unsignedInt', 'uri', 'url', 'uuid', 'Address', 'Age', 'Annotation', 'Attachment', 'CodeableConcept', 'Coding', 'ContactPoint', 'Count', 'Distance', 'Duration', 'HumanName', 'Identifier', 'Money', 'Period', 'Quantity', 'Range', 'Ratio', 'Reference', 'SampledData', 'Signature', 'Timing', 'ContactDetail', 'Contributor', 'DataRequirement', 'Expression', 'ParameterDefinition', 'RelatedArtifact', 'TriggerDefinition', 'UsageContext', 'Dosage', 'Meta')}, 'HumanName': {'id': 'string', 'extension*': 'Extension', 'use': 'code', 'family': 'string', 'given*': 'string'}, 'Identifier': {'id': 'string', 'extension*': 'Extension', 'use': 'code', 'value': 'string'}, 'Meta': {'id': 'string', 'extension*': 'Extension'}, 'Money': {'id': 'string', 'extension*': 'Extension', 'value': 'decimal'}, 'ParameterDefinition': {'id': 'string', 'extension*': 'Extension', 'name': 'code', 'use': 'code'}, 'Patient': {'id': 'id', 'extension*': 'Extension', 'identifier*': 'Identifier', 'name*': 'HumanName', 'gender': 'code', 'birthDate': 'date', 'deceased': ('boolean', 'dateTime'), 'contact*': 'Patient.contact'}, 'Patient.contact': {'id': 'string', 'extension*': 'Extension', 'name': 'HumanName', 'gender': 'code'}, 'Period': {'id': 'string', 'extension*': 'Extension'}, 'Quantity': {'id': 'string', 'extension*': 'Extension', 'value': 'decimal'}, 'Range': {'id': 'string', 'extension*': 'Extension'}, 'Ratio': {'id': 'string', 'extension*': 'Extension'}, 'Reference': {'id': 'string', 'extension*': 'Extension', 'identifier': 'Identifier'}, 'RelatedArtifact': {'id': 'string', 'extension*': 'Extension'}, 'SampledData': {'id': 'string', 'extension*': 'Extension'}, 'Signature': {'id': 'string', 'extension*': 'Extension'}, 'Timing': {'id': 'string', 'extension*': 'Extension'}, 'TriggerDefinition': {'id': 'string', 'extension*': 'Extension', 'name': 'string'}, 'UsageContext': {'id': 'string', 'extension*': 'Extension', 'value': ('CodeableConcept', 'Quantity', 'Range', 'Reference')}}, {'Address': 'Element', 'Age': 'Quantity', 'Quantity': 'Element', 'Annotation': 'Element', 'Attachment': 'Element', 'CodeableConcept': 'Element', 'Coding': 'Element', 'ContactDetail': 'Element', 'ContactPoint': 'Element', 'Contributor': 'Element', 'Count': 'Quantity', 'DataRequirement': 'Element', 'Distance': 'Quantity', 'Dosage': 'BackboneElement', 'BackboneElement': 'Element', 'Duration': 'Quantity', 'Expression': 'Element', 'Extension': 'Element', 'HumanName': 'Element', 'Identifier': 'Element', 'Meta': 'Element', 'Money': 'Element', 'ParameterDefinition': 'Element', 'Patient': 'DomainResource', 'DomainResource': 'Resource', 'Patient.contact': 'BackboneElement', 'Period': 'Element', 'Range': 'Element', 'Ratio': 'Element', 'Reference': 'Element', 'RelatedArtifact': 'Element', 'SampledData': 'Element', 'Signature': 'Element', 'Timing': 'BackboneElement', 'TriggerDefinition': 'Element', 'UsageContext': 'Element'})
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


def constant_both(run):
    """let both  case.map:6"""
    return 'n:' + 'x'


def sources(src, tgt, run):
    """group sources(source src : Patient, target tgt : Basic)  case.map:8"""
    tgt_extension = tgt.get('extension') or []

    # name  (case.map:9)
    try:
        kept = []
        for n in fp.child(src, 'name'):
            kept.append(n)
        for n in kept[:1]:
            # family  (case.map:9)
            try:
                for f in fp.child(n, 'family'):
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
        for n in fp.child(src, 'name'):
            kept.append(n)
        for n in kept[1:]:
            # family  (case.map:10)
            try:
                for f in fp.child(n, 'family'):
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
        for n in fp.child(src, 'name'):
            kept.append(n)
        for n in kept[-1:]:
            # family  (case.map:11)
            try:
                for f in fp.child(n, 'family'):
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
        for n in fp.child(src, 'name'):
            kept.append(n)
        for n in kept[:-1]:
            # family  (case.map:12)
            try:
                for f in fp.child(n, 'family'):
                    e = {'url': 'not_last'}
                    tgt_extension.append(e)
                    assign(e, 'value', [f], (('string',), True), False)
            except run.caught as error:
                run.fail(error)
    except run.caught as error:
        run.fail(error)

    # name-5  (case.map:13)
    try:
        for n in fp.child(src, 'name'):
            if fp.holds(fp.equal(fp.member([n], 'use'), ['official'])):
                # family  (case.map:13)
                try:
                    for f in fp.child(n, 'family'):
                        e = {'url': 'where'}
                        tgt_extension.append(e)
                        assign(e, 'value', [f], (('string',), True), False)
                except run.caught as error:
                    run.fail(error)
    except run.caught as error:
        run.fail(error)

    # name-6  (case.map:14)
    try:
        for n in fp.child(src, 'name'):
            for g in fp.child(n, 'given'):
                run.note(fp.value(fp.concatenate(['given of '], fp.member([n], 'family'))), 'case.map:14:36')
                e = {'url': 'given'}
                tgt_extension.append(e)
                assign(e, 'value', fp.concatenate(fp.concatenate(fp.member([n], 'family'), [' ']), [g]), (('string',), True), False)
    except run.caught as error:
        run.fail(error)

    # given  (case.map:15)
    try:
        for name in fp.child(src, 'name'):
            for g in fp.child(name, 'given'):
                e = {'url': 'nested'}
                tgt_extension.append(e)
                assign(e, 'value', [g], (('string',), True), False)
    except run.caught as error:
        run.fail(error)

    # deceasedBoolean  (case.map:16)
    try:
        for d in of_types(fp.child(src, 'deceased'), ('boolean',)):
            e = {'url': 'deceased'}
            tgt_extension.append(e)
            assign(e, 'value', [d], (('boolean',), True), False)
    except run.caught as error:
        run.fail(error)

    # deceasedDateTime  (case.map:17)
    try:
        for d in of_types(fp.child(src, 'deceased'), ('dateTime',)):
            e = {'url': 'deceased-at'}
            tgt_extension.append(e)
            assign(e, 'value', [d], (('dateTime',), True), False)
    except run.caught as error:
        run.fail(error)

    # gender  (case.map:18)
    try:
        found = fp.child(src, 'gender')
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
        for b in fp.child(src, 'birthDate'):
            if not fp.holds(fp.less([b], fp.today(run.environment))):
                raise check_failed('$this < today()')
            e = {'url': 'born'}
            tgt_extension.append(e)
            assign(e, 'value', [b], (('date',), True), False)
    except run.caught as error:
        run.fail(error)

    # contact  (case.map:20)
    try:
        for c_2 in counted(list(fp.child(src, 'contact')), 0, 1):
            tgt_extension.append({'url': 'contact', 'valueString': 'one'})
    except run.caught as error:
        run.fail(error)

    # identifier  (case.map:21)
    try:
        kept = []
        for i in fp.child(src, 'identifier'):
            kept.append(i)
        for i in only_one(kept):
            e = {'url': 'identifier'}
            tgt_extension.append(e)
            assign(e, 'value', [i], (('Identifier',), True), False)
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
    run = RecordRun(globals(), strict)
    try:
        source = fp.root(row, 'Patient', _types_1, 'Patient')
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
    return run.result(resource, _places)


# From this line on -> where the map says so.
_marks = {
    67: 'case.map:6:1',
    72: 'case.map:8:7',
    74: 'case.map:8:1',
    78: 'case.map:9:3',
    84: 'case.map:9:30',
    85: 'case.map:9:47',
    87: 'case.map:9:84',
    95: 'case.map:10:3',
    101: 'case.map:10:34',
    102: 'case.map:10:51',
    104: 'case.map:10:92',
    112: 'case.map:11:3',
    118: 'case.map:11:29',
    119: 'case.map:11:46',
    121: 'case.map:11:82',
    129: 'case.map:12:3',
    135: 'case.map:12:33',
    136: 'case.map:12:50',
    138: 'case.map:12:90',
    146: 'case.map:13:3',
    147: 'case.map:13:24',
    150: 'case.map:13:49',
    151: 'case.map:13:66',
    153: 'case.map:13:103',
    161: 'case.map:14:3',
    162: 'case.map:14:18',
    163: 'case.map:14:36',
    164: 'case.map:14:64',
    166: 'case.map:14:101',
    172: 'case.map:15:3',
    174: 'case.map:15:26',
    176: 'case.map:15:64',
    182: 'case.map:16:3',
    183: 'case.map:16:34',
    185: 'case.map:16:74',
    191: 'case.map:17:3',
    192: 'case.map:17:35',
    194: 'case.map:17:78',
    200: 'case.map:18:3',
    202: 'case.map:18:23',
    203: 'case.map:18:3',
    204: 'case.map:18:42',
    206: 'case.map:18:80',
    212: 'case.map:19:3',
    213: 'case.map:19:29',
    215: 'case.map:19:49',
    217: 'case.map:19:85',
    223: 'case.map:20:3',
    224: 'case.map:20:28',
    230: 'case.map:21:3',
    234: 'case.map:21:35',
    236: 'case.map:21:77',
    242: 'case.map:22:10',
    244: 'case.map:22:50',
    248: 'case.map:8:1',
}
