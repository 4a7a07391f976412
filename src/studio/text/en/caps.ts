export const caps = {
  overImages:
    'You have {left} {left|picture|pictures} left this month, and this request needs {wanted}. The limit renews on {day}.',
  usedUpImages:
    'You have used all your pictures for this month. The limit renews on {day}; before that, ask an administrator.',
  overMoney: 'You have {left} left this month, and this request may cost {wanted}. The budget renews on {day}.',
  usedUpMoney:
    'You have used your budget for this month. The budget renews on {day}; before that, ask an administrator.',
  refused_token:
    'Nothing was sent and nothing is charged: the monthly cap of your token has {left} left, and this request may need more. Ask for less, wait until {day}, or ask an administrator.',
  refused_user:
    'Nothing was sent and nothing is charged: your monthly cap has {left} left, and this request may need more. Ask for less, wait until {day}, or ask an administrator.',
  refused_configuration:
    'Nothing was sent and nothing is charged: the monthly cap of the key has {left} left, and this request may need more. Use a model of another service, wait until {day}, or ask an administrator.',
  refused_environment:
    'Nothing was sent and nothing is charged: the monthly cap of the key has {left} left, and this request may need more. Use a model of another service, wait until {day}, or have whoever runs the server raise {variable}.',
  refused_session:
    'Nothing was sent and nothing is charged: the cap of this session has {left} left, and this request may need more. Ask for less.',
  refused_all:
    'Nothing was sent and nothing is charged: the monthly cap of this server has {left} left, and this request may need more. Ask for less, wait until {day}, or have whoever runs the server raise {variable}.',
}
