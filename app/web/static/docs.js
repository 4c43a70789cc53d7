'use strict';

// Errors are shown once, in a section of their own. Under each operation a closed list leads to those that it can give.
const errors = ({ React: { createElement: element } }) => {
  const addressOf = (name) => `answer-${name}`;

  const Errors = ({ responses }) => element('section', { id: 'errors', className: 'block' },
    element('h2', null, 'Errors'),
    element('p', null, 'These answers are the same for all operations. Each operation lists those that it can give.'),
    ...responses.entrySeq().map(([name, response]) => element('details', { key: name, id: addressOf(name) },
      element('summary', null, element('code', null, name.slice(-3)), ` ${response.get('description')}`),
      element('pre', { tabIndex: 0, role: 'region', 'aria-label': `Example of ${name.slice(-3)}` },
        JSON.stringify(response.getIn(['content', 'application/json', 'example']), null, 2)))));

  const Refusals = ({ names }) => element('details', { className: 'refusals' },
    element('summary', null, `Refused with ${names.map((name) => name.slice(-3)).join(', ')}`),
    element('p', null, ...names.flatMap((name) => [
      element('a', { key: name, href: `#${addressOf(name)}`, onClick: show }, name.slice(-3)), ' ',
    ])));

  // Swagger UI puts its own fragment into the address, so the link is followed here.
  const show = (event) => {
    event.preventDefault();
    const error = document.querySelector(event.target.hash);
    error.open = true;
    error.querySelector('summary').focus();
  };

  return {
    wrapComponents: {
      InfoContainer: (Original, { specSelectors }) => (props) => element('div', null,
        element(Original, props),
        element(Errors, { responses: specSelectors.specJson().getIn(['components', 'responses']) })),
      responses: (Original, { specSelectors }) => (props) => {
        const said = specSelectors.specJson().getIn(['paths', props.path, props.method, 'responses']);
        const own = props.responses.filterNot((_, status) => said.hasIn([status, '$ref']));
        const refusals = said.toList().filter((response) => response.has('$ref'));
        const names = refusals.map((response) => response.get('$ref').split('/').pop()).toArray();
        return element('div', null, element(Original, { ...props, responses: own }), element(Refusals, { names }));
      },
    },
  };
};

// Addresses are relative, so that the page works under a prefix, too.
SwaggerUIBundle({
  url: 'openapi.json',
  dom_id: '#api',
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  docExpansion: 'list',
  plugins: [errors],
  validatorUrl: null,
});
